// What lies in this browser: edits that the server does not have yet, by tab, and where somebody was.
const AGE = 200;

export class Kept {
  constructor(name, store = localStorage, tab = sessionStorage) {
    this.store = store; this.name = `labelling ${name}`;
    this.written = new Map();
    this.tab = tab.getItem("labelling tab") || Math.random().toString(36).slice(2);
    tab.setItem("labelling tab", this.tab);
  }

  get own() { return `${this.name} ${this.tab} `; }

  // By track: what it is (null: taken away) and what the server had. Only what changed is written: keys must not wait.
  keep(entries) {
    for (const [key, { base, track }] of entries) {
      const before = this.written.get(key);
      if (before && before.track === track && before.base === base) continue;
      this.store.setItem(this.own + key, JSON.stringify({ base, track: track && { key, seed: track.seed, keys: track.keys, said: track.said } }));
      this.written.set(key, { base, track });
    }
    for (const key of this.written.keys()) if (!entries.has(key)) { this.store.removeItem(this.own + key); this.written.delete(key); }
  }

  // Whether an earlier page of this job left something.
  get left() { return Object.keys(this.store).some(name => name.startsWith(`${this.name} `)); }

  // Of this tab, and of tabs that are gone. `alive`: names of other tabs.
  adopt(alive) {
    const entry = { known: {}, tracks: [] };
    for (const name of Object.keys(this.store)) {
      if (!name.startsWith(`${this.name} `)) continue;
      const [tab, key] = name.slice(this.name.length + 1).split(" ");
      if (!key || alive.has(tab)) continue;
      try {
        const { base, track } = JSON.parse(this.store.getItem(name));
        if (base) entry.known[key] = base;
        if (track) entry.tracks = [...entry.tracks.filter(t => t.key !== key), track];
      } catch { /* half written when the machine stopped */ }
      this.store.removeItem(name);
    }
    return entry.tracks.length || Object.keys(entry.known).length ? entry : null;
  }

  place(value) {
    const key = `at of ${this.name}`;
    if (value) this.store.setItem(key, JSON.stringify(value));
    try { return JSON.parse(this.store.getItem(key)); } catch { return null; }
  }
}

// Other tabs with the same job: their names; and `met` when one comes or was there.
export class Tabs {
  constructor(name, tab, met) {
    this.others = new Set();
    this.channel = new BroadcastChannel(`labelling ${name}`);
    this.channel.onmessage = ({ data }) => {
      if (data.tab === tab) return;
      this.others.add(data.tab);
      if (data.ask) this.channel.postMessage({ tab });
      met();
    };
    this.channel.postMessage({ tab, ask: true });
  }

  async known() { await new Promise(done => setTimeout(done, AGE)); return this.others; }

  close() { this.channel.close(); }
}
