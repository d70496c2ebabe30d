import { hue, lastIndex } from "/static/labelling/boxes.js";
import { MOVES, belongsElsewhere, moving } from "/static/labelling/keys.js";
import Player from "/static/labelling/player.js";

// A clip with the boxes of several people over it, beside it what each of them says. Boxes lie at certain frames; between two that are a second apart at most they are
// interpolated, as the annotation tool does, and nowhere else.
const NEAR = 30;

export default {
  template: `
    <div class="player" v-if="doc">
      <div>
        <Player ref="player" :clip="doc.clip" v-slot="{frame, scale}" @at="f => { frame = f }" @playing="p => { playing = p }" @rate="r => { rate = r }">
          <g v-for="box in boxesAt(frame)" :key="box.key">
            <rect :opacity="box.faint ? 0.25 : box.wide ? 0.6 : 1" :x="box.x1" :y="box.y1" :width="box.x2 - box.x1" :height="box.y2 - box.y1" fill="none"
                  :stroke="box.colour" :stroke-width="box.wide ? 7 : 2" :stroke-dasharray="box.dashed ? '6 4' : ''"
                  vector-effect="non-scaling-stroke"></rect>
            <text :x="box.x1 + box.aside * scale" :y="box.y1 + (box.y1 > 20 * scale ? -5 : 16) * scale" :fill="box.colour"
                  :font-size="14 * scale" font-weight="700" paint-order="stroke" stroke="#000" :stroke-width="3 * scale">{{ box.name }}</text>
          </g>
        </Player>
        <div class="player-line" @click="pick" aria-hidden="true">
          <i v-for="(c, n) in shownConflicts" :key="n" :class="{grave: c.grave}" :style="{left: share(c.frame)}"></i>
          <b :style="{left: share(frame)}"></b>
        </div>
        <div class="player-bar">
          <button @click="$refs.player.toggle()" aria-label="Play or pause">{{ playing ? 'Pause' : 'Play' }}</button>
          <button @click="$refs.player.bySeconds(-1)" aria-label="One second back">◂ 1 s</button>
          <button @click="$refs.player.bySeconds(1)" aria-label="One second forward">1 s ▸</button>
          <span>second {{ second }} · frame {{ frame }} of {{ doc.clip.frames }}</span>
          <label>speed <select :value="rate" @change="$refs.player.speed(Number($event.target.value))">
            <option v-for="s in [0.25, 0.5, 1, 2, 4]" :key="s" :value="s">{{ s }}×</option></select></label>
        </div>
        <div class="player-legend">
          <button v-for="(layer, n) in doc.layers" :key="layer.key" :aria-pressed="String(!hidden[layer.key])"
                  @click="flip(layer.key)">
            <span class="player-swatch" :style="{background: layer.colour}"></span>{{ layer.name }}
            <small v-if="layer.kind === 'consensus' || !choosing">{{ layer.kind === 'consensus' ? 'C' : n + 1 }}</small>
          </button>
          <a v-for="layer in doc.layers.filter(l => l.link)" :key="'l' + layer.key" target="_blank" rel="noopener"
             :href="layer.link + frame">{{ layer.name }}'s job</a>
          <a v-for="layer in doc.layers.filter(l => l.in_cvat)" :key="'c' + layer.key" target="_blank" rel="noopener"
             :href="layer.in_cvat + frame">{{ layer.name }} in CVAT</a>
        </div>
        <div class="player-keys">{{ moves }}<template v-if="choosing"> · 1–9 answer · C consensus</template><template v-else-if="doc.groups.length"> · 1–9 annotator · C consensus · N/P conflict · A approve · R reject · U undo · S skip</template></div>
      </div>
      <div class="player-side" v-if="doc.groups.length" tabindex="0" aria-label="Labels and conflicts">
        <label><input type="checkbox" v-model="differencesOnly"> differences only</label>
        <table class="player-labels">
          <thead><tr><th>second {{ second }}</th><th v-for="l in raters" :key="l.key">{{ l.name }}</th></tr></thead>
          <tbody>
            <tr v-for="row in labels" :key="row.key" :class="row.agree ? 'agree' : 'differ'">
              <td>{{ row.person }} · {{ soft(row.group) }}</td>
              <td v-for="(cell, n) in row.cells" :key="n">{{ soft(cell) }}</td>
            </tr>
            <tr v-if="!labels.length"><td :colspan="raters.length + 1">{{ people.length ? 'All agree at this second.' : 'No one at this second.' }}</td></tr>
          </tbody>
        </table>
        <strong>{{ doc.conflicts.length }} conflicts</strong>
        <label>kind <select v-model="kind"><option value="">all</option>
          <option v-for="k in kinds" :key="k" :value="k">{{ k }}</option></select></label>
        <ol class="player-conflicts">
          <li v-for="(c, n) in shownConflicts.slice(0, 400)" :key="n">
            <button :class="{here: n === at, grave: c.grave}" @click="jump(n)">{{ c.second === c.until ? c.second : c.second + " to " + c.until }} s · person {{ c.person }} · {{ c.kind }}: {{ c.detail }}</button>
          </li>
        </ol>
      </div>
    </div>
    <div v-else class="empty">{{ problem || 'Loading …' }}</div>`,
  components: { Player },
  props: { source: String, frameWanted: Number, choosing: Boolean, person: Number },
  data() {
    return { doc: null, problem: "", frame: 0, playing: false, hidden: {}, at: -1, rate: 1, differencesOnly: true, kind: "" };
  },
  watch: {
    // Where a comment is about. Told only while the picture stands still.
    frame(now) { clearTimeout(this.telling); this.telling = setTimeout(() => { if (!this.playing) this.$emit("frame", now); }, 200); },
    playing(now) { if (!now) this.$emit("frame", this.frame); },
  },
  computed: {
    moves() { return MOVES; },
    second() { return Math.floor(this.frame / this.doc.clip.fps); },
    raters() { return this.doc.layers.filter(l => l.kind !== "tracks"); },
    kinds() { return [...new Set(this.doc.conflicts.map(c => c.kind))].sort(); },
    shownConflicts() { return this.kind ? this.doc.conflicts.filter(c => c.kind === this.kind) : this.doc.conflicts; },
    people() {
      const found = new Set();
      for (const layer of this.raters) for (const track of layer.tracks) if (track.labels[this.second]) found.add(track.person);
      return [...found].filter(p => !this.person || p === this.person).sort((a, b) => a - b);
    },
    labels() {
      const rows = [];
      for (const person of this.people) {
        for (const group of this.doc.groups) {
          const cells = [], said = new Set();
          for (const layer of this.raters) {
            const rated = layer.tracks.filter(t => t.person === person && t.labels[this.second]).map(t => t.labels[this.second][group]);
            const answer = rated.find(r => r !== undefined);
            if (answer === undefined) { cells.push("–"); continue; }
            const names = answer.actions.map(id => this.doc.actions[id] || id).join(", ") || "none";
            if (layer.kind === "annotator") said.add(names);
            cells.push(names + (answer.tie ? " (tie)" : "") + (answer.share ? " " + answer.share : ""));
          }
          const agree = said.size < 2;
          if (!agree || !this.differencesOnly) rows.push({ key: person + group, person, group, cells, agree });
        }
      }
      return rows;
    },
  },
  async mounted() {
    this.pressed = event => this.key(event);
    window.addEventListener("keydown", this.pressed);
    try {
      const answer = await fetch(this.source);
      if (!answer.ok) throw new Error(await answer.text());
      this.doc = await answer.json();
      await this.$nextTick();
      if (this.frameWanted && this.$refs.player) this.seek(this.frameWanted);
    } catch (error) { this.problem = "Cannot show the clip: " + error.message; }
  },
  beforeUnmount() { clearTimeout(this.telling); window.removeEventListener("keydown", this.pressed); },
  methods: {
    // Long names may break after an underscore.
    soft(text) { return text.replaceAll("_", "_\u200b"); },
    share(frame) { return (100 * frame / this.doc.clip.frames) + "%"; },
    boxesAt(frame) {
      const found = [];
      this.doc.layers.forEach((layer, n) => {
        if (this.hidden[layer.key]) return;
        for (const track of layer.tracks) {
          const box = boxAt(track.boxes, frame);
          if (box) found.push({ ...box, key: layer.key + track.id, name: track.name, colour: layer.kind === "tracks" ? hue(track.person) : layer.colour,
            wide: layer.kind === "consensus", faint: this.person && track.person !== this.person, dashed: box.soft, aside: n * (4 + 9 * track.name.length) });
        }
      });
      // The consensus lies beneath, wider: an annotator's box that equals it is still seen.
      return found.sort((a, b) => b.wide - a.wide);
    },
    seek(frame) { this.$refs.player.seek(frame); },
    pick(event) { const r = event.currentTarget.getBoundingClientRect(); this.seek(Math.round((event.clientX - r.left) / r.width * this.doc.clip.frames)); },
    jump(n) { const c = this.shownConflicts[n]; if (c) { this.at = n; this.seek(c.frame); } },
    flip(key) { this.hidden = { ...this.hidden, [key]: !this.hidden[key] }; },
    key(event) {
      if (!this.doc || event.ctrlKey || event.metaKey || event.altKey) return;
      if (belongsElsewhere(event)) return;
      const keys = {
        n: () => this.jump(Math.min(this.at + 1, this.shownConflicts.length - 1)), p: () => this.jump(Math.max(this.at - 1, 0)),
        c: () => this.doc.layers.filter(l => l.kind === "consensus").forEach(l => this.flip(l.key)),
        a: () => this.$emit("approve"), r: () => this.$emit("reject"), u: () => this.$emit("undo"), s: () => this.$emit("skip"),
      };
      if (this.choosing && /^[1-9]$/.test(event.key)) { event.preventDefault(); this.$emit("choose", Number(event.key)); return; }
      const layer = this.doc.layers[Number(event.key) - 1];
      const act = moving(event, this.$refs.player) || keys[event.key.length === 1 ? event.key.toLowerCase() : event.key] || (layer && (() => this.flip(layer.key)));
      if (act) { event.preventDefault(); act(); }
    },
  },
};

// boxes: [frame, x1, y1, x2, y2, soft], by frame
function boxAt(boxes, frame) {
  const at = lastIndex(boxes, frame), a = boxes[at], b = boxes[at + 1];
  if (!a) return null;
  const of = (x1, y1, x2, y2, soft) => ({ x1, y1, x2, y2, soft: Boolean(soft) });
  if (a[0] === frame) return of(...a.slice(1));
  if (!b || b[0] - a[0] > NEAR) return null;
  const t = (frame - a[0]) / (b[0] - a[0]);
  return of(...[1, 2, 3, 4].map(i => a[i] + t * (b[i] - a[i])), a[5]);
}
