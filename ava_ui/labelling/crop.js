// One person, near and followed, over the three seconds around the current one, again and again.
import { boxAt } from "./boxes.js";

const AROUND = 1.5;
const MARGIN = .35;
const EVERY = 50;

export default {
  template: `<div class="label-crop"><canvas ref="canvas" width="360" height="360" role="img" :aria-label="'The chosen person around second ' + second"></canvas>
    <video ref="video" :src="clip.url" muted playsinline preload="auto" tabindex="-1" hidden></video></div>`,
  props: { clip: Object, track: Object, second: Number, still: Boolean },
  mounted() { this.timer = setInterval(() => this.draw(), EVERY); this.restart(); },
  beforeUnmount() { clearInterval(this.timer); },
  watch: { second() { this.restart(); }, track(now, before) { if (!before || now.key !== before.key) this.restart(); }, still() { this.restart(); } },
  methods: {
    restart() {
      const v = this.$refs.video;
      if (!v) return;
      v.currentTime = this.still ? (this.second * this.clip.fps + .5) / this.clip.fps : Math.max(0, this.second - AROUND);
      if (this.still) v.pause(); else v.play().catch(() => {});
    },
    draw() {
      const v = this.$refs.video, c = this.$refs.canvas;
      if (!v || v.readyState < 2 || !this.track) return;
      if (!this.still && (v.currentTime > this.second + AROUND || v.ended)) this.restart();
      const frame = Math.floor(v.currentTime * this.clip.fps), box = boxAt(this.track.keys, frame);
      const paint = c.getContext("2d");
      if (box) this.last = box;
      const b = this.last;
      if (!b) { paint.clearRect(0, 0, c.width, c.height); return; }
      const side = Math.max(b[2] - b[0], b[3] - b[1]) * (1 + 2 * MARGIN), sx = v.videoWidth / this.clip.width, sy = v.videoHeight / this.clip.height;
      const x = (b[0] + b[2] - side) / 2, y = (b[1] + b[3] - side) / 2, z = c.width / side;
      paint.fillStyle = "#000";
      paint.fillRect(0, 0, c.width, c.height);
      paint.drawImage(v, x * sx, y * sy, side * sx, side * sy, 0, 0, c.width, c.height);
      if (box) { paint.strokeStyle = "#ffd23f"; paint.lineWidth = 2; paint.strokeRect((box[0] - x) * z, (box[1] - y) * z, (box[2] - box[0]) * z, (box[3] - box[1]) * z); }
    },
  },
};
