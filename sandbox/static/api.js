// The control API.

async function checked(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? `The sandbox answered ${response.status}`);
  return body;
}

/** GET /sandbox/{path}. */
export async function get(path) {
  return checked(await fetch(`/sandbox/${path}`));
}

/** POST /sandbox/{path}. */
export async function post(path, body) {
  return checked(
    await fetch(`/sandbox/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

/** Call `heard` with every change after number `after`; the browser reconnects by itself. */
export function follow(after, heard) {
  const source = new EventSource(`/sandbox/stream?after=${after}`);
  source.onmessage = (event) => heard(JSON.parse(event.data));
}

/** A file of the user's as a message part: a photo if it is an image that Telegram shows as one. */
export async function fileMessage(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  const kind = ["image/png", "image/jpeg", "image/webp"].includes(file.type) ? "photo" : "document";
  return { [kind]: { name: file.name, content: btoa(binary) } };
}
