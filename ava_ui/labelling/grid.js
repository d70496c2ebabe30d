// The label sheet of one person: groups down, seconds across. Unset is hatched, where the person is not seen is empty.
import { boxAt, seconds } from "./boxes.js";
import { CANNOT_TELL, answerAt } from "./said.js";

export default {
  template: `
    <div class="scroll"><table class="label-sheet"><caption class="label-unseen">Labels of person {{ name }}, by group and second</caption>
      <thead><tr><th scope="col">group</th><th v-for="s in columns" :key="s" scope="col" :class="{here: s === second}">
        <button tabindex="-1" :aria-label="'Go to second ' + s" @click="$emit('go', s)">{{ s }}<i v-if="marks.includes(s)" class="label-mark">!</i></button></th></tr></thead>
      <tbody><tr v-for="row in rows" :key="row.name" v-memo="[track.keys, track.said[row.name], row.name === group, second]" :class="{used: row.name === group}">
        <th scope="row"><button tabindex="-1" @click="$emit('group', row.name)">{{ row.title }}</button></th>
        <td v-for="cell in row.cells" :key="cell.second" :class="[cell.kind, {here: cell.second === second}]" :colspan="cell.span" :title="cell.text"
            @click="$emit('go', cell.second)"><span>{{ cell.text }}</span></td></tr></tbody></table></div>`,
  props: { clip: Object, track: Object, name: String, groups: Array, actions: Object, second: Number, group: String, marks: Array },
  emits: ["go", "group"],
  computed: {
    columns() { return [...Array(seconds(this.clip)).keys()]; },
    seen() { return this.columns.map(s => Boolean(boxAt(this.track.keys, s * this.clip.fps))); },
    rows() { return this.groups.map(g => ({ name: g.name, title: g.name.replaceAll("_", " "), cells: this.cellsOf(g.name) })); },
  },
  methods: {
    cellsOf(group) {
      const cells = [];
      for (const s of this.columns) {
        const answer = this.seen[s] ? answerAt(this.track, group, s * this.clip.fps) : null, before = cells[cells.length - 1];
        const kind = !this.seen[s] ? "away" : answer === undefined ? "unset" : answer === CANNOT_TELL ? "unclear" : answer.length ? "said" : "none";
        const text = { away: "", unset: "unset", unclear: "cannot tell", none: "none" }[kind] ?? answer.map(id => (this.actions[id] || String(id)).replaceAll("_", " ")).join(" + ");
        // The current second stands alone, so that it is seen where one is.
        if (before && before.text === text && before.kind === kind && s !== this.second && before.second !== this.second) before.span++;
        else cells.push({ second: s, span: 1, kind, text });
      }
      return cells;
    },
  },
};
