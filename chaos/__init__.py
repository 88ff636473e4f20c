"""People talk while processes are killed, frozen and hindered; then what was said is compared with what arrived."""
