// Where a track is, by its keyframes of geometry [frame, x1, y1, x2, y2, outside]: moving in straight lines between
// them, hidden from an `outside` one to the next that is not, as the annotation server has it.

export function lastIndex(keys, frame) {
  let low = 0, high = keys.length - 1;
  while (low <= high) { const mid = (low + high) >> 1; if (keys[mid][0] <= frame) low = mid + 1; else high = mid - 1; }
  return high;
}

export function boxAt(keys, frame) {
  const n = lastIndex(keys, frame), a = keys[n], b = keys[n + 1];
  if (!a || a[5]) return null;
  if (!b || a[0] === frame) return a.slice(1, 5);
  const t = (frame - a[0]) / (b[0] - a[0]);
  return [1, 2, 3, 4].map(i => a[i] + t * (b[i] - a[i]));
}

// Frame and time of a video that plays. The middle of a frame: its very beginning may still show the one before.
export function frameAt(time, clip) { return Math.min(Math.floor(time * clip.fps + .001), clip.frames - 1); }

export function timeOf(frame, clip) { return (Math.max(0, Math.min(frame, clip.frames - 1)) + .5) / clip.fps; }

// The first frame of the second that lies `n` seconds from the one of a frame, within the clip.
export function secondsOn(frame, n, clip) { return Math.max(0, Math.min(Math.floor(frame / clip.fps) + n, seconds(clip) - 1)) * clip.fps; }

export function seconds(clip) { return Math.ceil(clip.frames / clip.fps); }

// The whole seconds at which a track is seen: what is said there counts.
export function living(keys, clip) {
  const found = [];
  for (let s = 0; s < seconds(clip); s++) if (boxAt(keys, s * clip.fps)) found.push(s);
  return found;
}

export function hue(n) { return `hsl(${(n * 222.5) % 360} 85% 60%)`; }

export function tidy(box, clip) {
  const [x1, x2] = [box[0], box[2]].sort((a, b) => a - b), [y1, y2] = [box[1], box[3]].sort((a, b) => a - b);
  const inside = [Math.max(x1, 0), Math.max(y1, 0), Math.min(x2, clip.width), Math.min(y2, clip.height)];
  return inside.map(v => Math.round(v * 100) / 100);
}
