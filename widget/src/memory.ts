// The little that is remembered: in this tab only, or on this device once the person has chosen so.
// A page may forbid even that; then it lives as long as the page.

const PREFIX = "waypoint ";

type Place = "sessionStorage" | "localStorage";

/** What was kept under this name, in this tab or on this device, or null. */
export function recall(name: string, ...places: Place[]): string | null {
  for (const place of places.length ? places : (["sessionStorage", "localStorage"] as const)) {
    try {
      const value = window[place].getItem(PREFIX + name);
      if (value !== null) return value;
    } catch {
      // Not allowed here.
    }
  }
  return null;
}

/** Keeps a value under a name; null forgets it. */
export function keep(name: string, value: string | null, place: Place = "sessionStorage"): void {
  try {
    if (value === null) window[place].removeItem(PREFIX + name);
    else window[place].setItem(PREFIX + name, value);
  } catch {
    // Not allowed here, or full.
  }
}

/** Forgets all of it, here and on this device. */
export function forget(): void {
  for (const place of ["sessionStorage", "localStorage"] as const) {
    try {
      for (const name of Object.keys(window[place])) if (name.startsWith(PREFIX)) window[place].removeItem(name);
    } catch {
      // Not allowed here.
    }
  }
}

/** Calls `act` when another tab changes what this device remembers under a name. */
export function watch(name: string, act: (value: string | null) => void): void {
  addEventListener("storage", ({ key, newValue, storageArea }) => {
    try {
      if (storageArea === localStorage && (key === PREFIX + name || key === null)) act(newValue);
    } catch {
      // Not allowed here.
    }
  });
}
