// Active seconds: the page has the focus, and there was input in the last half minute. By person, with the answers given.
const IDLE = 30000;
const SEND = 15000;

export class ActiveTime {
  constructor(send, clock = () => Date.now()) {
    Object.assign(this, { deliver: send, clock, seconds: new Map(), answers: new Map(), last: clock(), key: "" });
    this.input = () => { this.last = this.clock(); };
    for (const name of ["keydown", "pointerdown", "pointermove"]) window.addEventListener(name, this.input, true);
    this.ticks = setInterval(() => this.tick(), 1000);
    this.sends = setInterval(() => this.send(), SEND);
  }

  tick() { if (document.hasFocus() && this.clock() - this.last < IDLE) this.seconds.set(this.key, (this.seconds.get(this.key) || 0) + 1); }

  answered(key) { this.key = key; this.answers.set(key, (this.answers.get(key) || 0) + 1); }

  send() {
    const keys = new Set([...this.seconds.keys(), ...this.answers.keys()]);
    const events = [...keys].map(track => ({ track, seconds: this.seconds.get(track) || 0, answers: this.answers.get(track) || 0 }));
    this.seconds.clear(); this.answers.clear();
    if (events.length) this.deliver(events);
  }

  stop() {
    for (const name of ["keydown", "pointerdown", "pointermove"]) window.removeEventListener(name, this.input, true);
    clearInterval(this.ticks); clearInterval(this.sends);
    this.send();
  }
}
