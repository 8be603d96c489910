// A copy of what is being typed, in this browser, in case it is killed. There is one for each
// article, language, user and revision; it is removed as soon as its text is saved.
const PREFIX = "desk-text:";
const LONGEST_DAYS = 30;

const read = (key) => {
  const text = localStorage.getItem(key);
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    localStorage.removeItem(key); // not ours, or damaged
    return null;
  }
};

export class KeptCopy {
  constructor(key) {
    this.prefix = `${PREFIX}${key}:`;
  }

  // Return whether the browser could keep it: it may be full, or storage switched off.
  keep(revision, values, { isSubmitted = false } = {}) {
    try {
      const copy = { at: Date.now(), values, isSubmitted };
      localStorage.setItem(this.prefix + revision, JSON.stringify(copy));
      return true;
    } catch (error) {
      console.warn("desk: no copy in this browser", error.name);
      return false;
    }
  }

  drop(revision) {
    localStorage.removeItem(this.prefix + revision);
  }

  // Return the newest copy as {revision, at, values, isSubmitted}, or null.
  newest() {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
    const copies = keys.map((key) => ({ ...read(key), revision: key.slice(this.prefix.length) }));
    return copies.filter((copy) => copy.values).sort((one, other) => other.at - one.at)[0] ?? null;
  }

  dropAll() {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(this.prefix)) localStorage.removeItem(key);
    }
  }

  static dropOld() {
    const oldest = Date.now() - LONGEST_DAYS * 86_400_000;
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX) && (read(key)?.at ?? 0) < oldest) localStorage.removeItem(key);
    }
  }
}
