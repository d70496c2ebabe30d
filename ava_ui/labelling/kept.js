// What lies in this browser: edits that the server does not have yet, by tab, and where somebody was.
const AGE = 200;

export class Kept {
  constructor(name, store = localStorage, tab = sessionStorage) {
    this.store = store; this.name = `labelling ${name}`;
    this.tab = tab.getItem("labelling tab") || Math.random().toString(36).slice(2);
    tab.setItem("labelling tab", this.tab);
  }

  get own() { return `${this.name} ${this.tab}`; }

  keep(entry) { if (entry) this.store.setItem(this.own, JSON.stringify(entry)); else this.store.removeItem(this.own); }

  // Of this tab, and of tabs that are gone: each edit once, and then this tab's. `alive`: names of other tabs.
  adopt(alive) {
    const found = [];
    for (const key of Object.keys(this.store)) {
      if (!key.startsWith(`${this.name} `) || alive.has(key.slice(this.name.length + 1))) continue;
      try { found.push(JSON.parse(this.store.getItem(key))); } catch { /* half written when the machine stopped */ }
      this.store.removeItem(key);
    }
    const entry = { known: {}, tracks: [] };
    for (const one of found) {
      entry.tracks = [...entry.tracks.filter(t => !one.tracks.some(o => o.key === t.key)), ...one.tracks];
      Object.assign(entry.known, one.known);
    }
    return found.length ? entry : null;
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
