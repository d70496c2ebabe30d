// Files go up piece by piece. What the server has is asked for first, so that a broken upload goes on where it stopped.
const TRIES = 6;

export default {
  props: ["suffixes", "piece"],
  template: `
    <div class="upload-box" @dragover.prevent @drop.prevent="add($event.dataTransfer.files)">
      <label>Choose or drop zips or videos ({{ suffixes.join(", ") }}) <input type="file" multiple :accept="suffixes.join(',')" @change="add($event.target.files)"></label>
      <div v-if="refused.length" class="bad" role="alert">Not accepted: {{ refused.join(", ") }}</div>
      <div v-for="file in files" :key="file.key">
        <div>{{ file.name }} · {{ size(file.sent) }} of {{ size(file.size) }}
          <span v-if="file.rate"> · {{ size(file.rate) }}/s</span> · {{ file.state }}
          <span v-if="file.problem" class="bad" role="alert">{{ file.problem }}</span>
          <button type="button" v-if="file.state === 'uploading'" @click="file.state = 'paused'">Pause</button>
          <button type="button" v-if="file.state === 'paused' || file.state === 'failed'" @click="send(file)">Resume</button>
          <button type="button" @click="cancel(file)">Remove</button>
        </div>
        <progress :max="file.size || 1" :value="file.sent" :aria-label="'Progress of ' + file.name"></progress>
      </div>
    </div>`,
  data() { return { files: [], refused: [] }; },
  methods: {
    size(bytes) { return bytes > 1e9 ? (bytes / 1e9).toFixed(2) + " GB" : (bytes / 1e6).toFixed(1) + " MB"; },
    async add(chosen) {
      // A browser holds what is chosen to the suffixes; what is dropped it does not.
      const fits = blob => this.suffixes.some(suffix => blob.name.toLowerCase().endsWith(suffix));
      this.refused = [...chosen].filter(blob => !fits(blob)).map(blob => blob.name);
      for (const blob of [...chosen].filter(fits)) {
        const key = await keyOf(blob);
        if (this.files.some(f => f.key === key)) continue;
        this.files.push({ key, blob, name: blob.name, size: blob.size, sent: 0, rate: 0, state: "waiting", problem: "" });
        this.$emit("chosen", this.files.map(f => f.name));
        this.send(this.files[this.files.length - 1]);
      }
    },
    async send(file) {
      file.state = "uploading";
      file.problem = "";
      try {
        file.sent = (await ask("GET", `/upload/${file.key}?size=${file.size}`)).received;
        let tries = 0;
        while (file.sent < file.size && file.state === "uploading") {
          const began = performance.now(), before = file.sent;
          try {
            file.sent = (await ask("POST", `/upload/${file.key}?offset=${before}`, file.blob.slice(before, before + this.piece))).received;
            file.rate = (file.sent - before) / (performance.now() - began) * 1000;
            tries = 0;
          } catch (error) {
            if (error.noRoom || ++tries >= TRIES) throw error;
            await new Promise(resolve => setTimeout(resolve, 500 * 2 ** tries));
          }
        }
        if (file.sent >= file.size && file.state === "uploading") {
          file.state = "uploaded";
          if (this.files.every(f => f.state === "uploaded")) this.$emit("uploaded", this.files.map(f => [f.key, f.name]));
        }
      } catch (error) {
        file.state = "failed";
        file.problem = error.noRoom ? error.message : "";
      }
    },
    async cancel(file) {
      file.state = "removed";
      this.files = this.files.filter(f => f !== file);
      this.$emit("chosen", this.files.map(f => f.name));
      await ask("DELETE", `/upload/${file.key}`).catch(() => {});
      this.$emit("uploaded", this.files.filter(f => f.state === "uploaded").map(f => [f.key, f.name]));
    },
  },
};

async function keyOf(blob) {
  const text = `${blob.name}|${blob.size}|${blob.lastModified}`;
  if (crypto.subtle) {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return [...new Uint8Array(hash)].map(b => b.toString(16).padStart(2, "0")).join("");
  }
  // Without https on another host than this one, browsers hide their hashes: a plain one will do as a name.
  let a = 0x811c9dc5, b = 0x1000193;
  for (const c of text) { a = Math.imul(a ^ c.codePointAt(0), 16777619) >>> 0; b = Math.imul(b + c.codePointAt(0), 2246822519) >>> 0; }
  return a.toString(16).padStart(8, "0") + b.toString(16).padStart(8, "0");
}

async function ask(method, url, body) {
  const answer = await fetch(url, { method, body });
  if (!answer.ok && answer.status !== 409) {
    throw Object.assign(new Error(await answer.text()), { noRoom: answer.status === 413 });
  }
  return answer.json();
}
