// How the page for labelling is laid out.
export const template = `
<div class="label-page" v-if="doc" @mousedown="keepFocus">
  <p v-if="closed" class="label-bar warn" role="status">{{ closed }} <button v-if="closed.startsWith('You')" @click="takeUp">Reopen</button></p>
  <p v-if="otherTab" class="label-bar warn" role="status">This job is also open in another tab. Nothing is overwritten, but continue in only one of them.</p>
  <p v-if="broken" class="label-bar bad" role="alert">The clip cannot be played: its file is missing or damaged. Your work is saved; tell an admin.</p>
  <p v-for="note in doc.notes" :key="note" class="label-bar warn">{{ note }}</p>
  <div v-for="(theirs, key) in conflicts" :key="key" class="label-bar bad" role="alert">
    Person {{ names[key] || key }} was {{ theirs ? 'changed' : 'removed' }} elsewhere while you worked here; nothing was overwritten.
    <button @click="settle(key, true)">Keep mine</button> <button @click="settle(key, false)">Take theirs</button></div>
  <div class="label-top">
    <span class="label-state" :class="state" role="status">{{ word }}</span>
    <span><b>{{ left }}</b> unset</span>
    <span role="status" aria-live="polite" class="label-message">{{ message }}</span>
    <button @click="undo" :disabled="!undoable">Undo</button><button @click="redo" :disabled="!redoable">Redo</button>
    <button :aria-pressed="String(live)" @click="live = !live">Live {{ live ? 'on' : 'off' }}</button>
    <label v-if="live">reaction <input type="number" min="0" max="1500" step="50" v-model.number="reaction" @change="keepReaction"> ms</label>
    <button @click="over = 'keys'">Keys (?)</button><button class="label-done" :disabled="working || Boolean(closed)" @click="finish(false)">Finish (Ctrl Enter)</button>
    <button v-if="doc.following" :disabled="working || Boolean(closed)" title="Ctrl Shift Enter" @click="finish(true)">Finish, next clip</button>
  </div>
  <People :people="people" :chosen="chosen" :joining="joining" @choose="pick"></People>
  <div class="label-work" ref="work" @blur="letTabGo = false" tabindex="0" role="group" aria-label="Labelling: press keys to label the chosen person; press Escape, then Tab, to reach the buttons">
    <div>
      <Stage ref="stage" :clip="clip" :tracks="tracks" :chosen="chosen" :names="names" :locked="Boolean(closed)" :drawing="drawing" @at="at" @choose="pickHere" @box="boxMoved"
        @drawn="drawn" @playing="isPlaying" @rate="r => { rate = r }" @broken="isBroken"></Stage>
      <div class="player-bar"><button @click="player().toggle()">{{ playing ? 'Pause' : 'Play' }}</button><button @click="player().bySeconds(-1)" aria-label="One second back">◂ 1 s</button><button @click="player().bySeconds(1)" aria-label="One second forward">1 s ▸</button>
        <span>second {{ second }} of {{ lastSecond() }} · frame {{ frame }} · {{ rate }}×</span><button :aria-pressed="String(!still)" @click="still = !still">Loop</button>
        <button @click="drawing ? drawing = false : draw()" :aria-pressed="String(drawing)">New person</button><template v-if="track"><button @click="remove">Not a person</button><button @click="split">Split</button>
        <button @click="join" :aria-pressed="String(Boolean(joining))">Join</button><button @click="leaves">Leaves</button><button @click="reset">Tracker's box</button></template></div>
      <ul v-if="doc.issues.length" class="label-list" aria-label="Reviewer's comments"><li v-for="(i, n) in doc.issues" :key="n"><button @click="seek(i.frame)">Reviewer, second {{ Math.floor(i.frame / clip.fps) }}: {{ i.said }}</button></li></ul>
    </div>
    <div v-if="track" class="label-side">
      <div class="label-near"><Crop :clip="clip" :track="track" :second="second" :still="still"></Crop>
        <KeyList :groups="groups" :keys="keys" :group="group" @take="take"></KeyList></div>
      <Grid :clip="clip" :track="track" :name="names[chosen]" :groups="groups" :actions="actions" :second="second" :group="group" :marks="marks" @go="toSecond" @group="useGroup"></Grid>
    </div>
  </div>
  <Finder v-if="over === 'find'" :groups="groups" @take="take" @close="over = ''"></Finder>
  <KeySheet v-if="over === 'keys'" :groups="groups" :keys="keys" :changing="changing" @change="a => { changing = a }" @reset="ownKeys" @close="over = ''"></KeySheet>
  <Unset v-if="over === 'unset'" :list="unset" @go="u => { over = ''; group = u.group; choose(u.key, u.second * clip.fps) }" @close="over = ''" @unclear="finishUnclear"></Unset>
</div>
<div v-else class="empty" role="status">{{ problem || 'Loading …' }}</div>`;
