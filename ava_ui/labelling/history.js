// All people of the job, and everything that was done, without limit: an edit makes new tracks beside the old ones,
// so what was is kept for the price of a list.

export class History {
  constructor(tracks) { this.tracks = Object.freeze(tracks); this.past = []; this.future = []; }

  // `where`: person and second, so that undoing leads to where it was done.
  put(tracks, where) {
    this.past.push({ tracks: this.tracks, where });
    this.future = [];
    this.tracks = Object.freeze(tracks);
  }

  replace(track, where) { this.put(this.tracks.map(t => t.key === track.key ? track : t), where); }

  undo() { return this.step(this.past, this.future); }

  redo() { return this.step(this.future, this.past); }

  // What came from the server meanwhile: it is the ground of all that was done, and cannot be undone.
  rebase(change) {
    this.tracks = Object.freeze(change(this.tracks));
    for (const one of [...this.past, ...this.future]) one.tracks = Object.freeze(change(one.tracks));
  }

  step(from, to) {
    const found = from.pop();
    if (!found) return null;
    to.push({ tracks: this.tracks, where: found.where });
    this.tracks = found.tracks;
    return found.where;
  }
}
