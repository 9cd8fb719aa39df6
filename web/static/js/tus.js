// One file to the box by tus: in pieces where it must be, on from where it was after a cut, a locked screen or a restart.
import { csrf, get, trouble, Trouble } from "./api.js";
import { on } from "./live.js";
import { SAY } from "./sentences.js";
import { keyOf, PLACE, remember, remembered, terminate } from "./half.js";

const VERSION = { "Tus-Resumable": "1.0.0" };
const WAITS = [1000, 2000, 4000, 8000, 15000, 30000];
// Worth another try: no answer, one that came too late, one that another request has or has called off, a box that stops.
const PASSING = new Set([0, 408, 409, 423, 460, 502, 504]);
const PASSING_KINDS = /urn:shoebox:(stopping|cut-off)/;
const LOST_CAUSES = new Set([400, 413, 415]);

/** What ends a wait early: the network is back, the screen is unlocked, the box answers again. */
const wakes = new Set();
const wake = () => wakes.forEach((done) => done());
addEventListener("online", wake);
document.addEventListener("visibilitychange", () => document.hidden || wake());
on("open", wake);

export class Sending {
  /** `progress(sent)` tells the bytes that came, `waiting(sentence)` what is waited for; "" when it goes on. */
  constructor(file, progress, waiting) {
    Object.assign(this, { file, progress, waiting, key: keyOf(file), paused: false, over: false, request: null });
    this.address = remembered()[this.key]?.address ?? null;
    this.again = Boolean(this.address);
  }

  /** Send the file to its end; returns {number, duplicate}, a guest's without a number; throws a Trouble. */
  async run() {
    for (let failures = 0; ; ) {
      if (this.over) throw new Trouble(SAY.cancelled);
      if (this.paused) {
        await new Promise((resolve) => (this.goOn = resolve));
        continue;
      }
      const before = this.offset ?? 0;
      const answer = await this.step();
      if (answer.done) {
        remember(this.key, { address: this.address, name: this.file.name, done: true });
        return answer.done;
      }
      if (this.over || this.paused) continue;
      if (answer.status === 404 && this.address) {
        this.forget(); // it waited too long there: from the beginning
        continue;
      }
      if (!PASSING.has(answer.status) && !PASSING_KINDS.test(answer.text)) {
        if (LOST_CAUSES.has(answer.status)) this.forget();
        throw trouble(answer.status, answer.text);
      }
      await this.readable();
      failures = (this.offset ?? 0) > before ? 0 : failures + 1;
      if (failures) await this.rest(answer.status, failures);
    }
  }

  pause() {
    this.paused = true;
    this.request?.abort();
  }

  resume() {
    this.paused = false;
    this.goOn?.();
  }

  /** Send no more; returns what `run` would have where it is too late and all of it was there, else null. */
  async cancel() {
    this.over = true;
    this.request?.abort();
    this.goOn?.();
    wake();
    const told = this.address && terminate(this.address);
    this.forget();
    const headers = (await told)?.headers;
    return headers ? this.result({ header: (name) => headers.get(name) }, false) : null;
  }

  forget() {
    remember(this.key, null);
    Object.assign(this, { address: null, again: false, offset: 0 });
  }

  /** Begin, or ask how far it is; then send the rest. Returns {done} or the answer that was in the way. */
  async step() {
    const told = this.address ? await this.ask("HEAD", this.address) : await this.begin();
    if (told.status !== 200 && told.status !== 201) return told;
    const known = this.result(told, this.again);
    if (known) return { done: known };
    this.offset = Number(told.header("Upload-Offset") ?? 0);
    this.waiting("");
    this.progress(this.offset);
    const rest = this.file.slice(this.offset);
    const sent = await this.ask("PATCH", this.address, { "Upload-Offset": this.offset, "Content-Type": "application/offset+octet-stream" }, rest);
    const done = sent.status === 204 ? this.result(sent, false) : null;
    if (sent.status === 204 && !done) this.offset = Number(sent.header("Upload-Offset"));
    return done ? { done } : sent;
  }

  async begin() {
    const name = btoa(String.fromCharCode(...new TextEncoder().encode(this.file.name)));
    const told = await this.ask("POST", PLACE, { "Upload-Length": this.file.size, "Upload-Metadata": `filename ${name}` });
    if (told.status === 201) {
      this.address = told.header("Location");
      remember(this.key, { address: this.address, name: this.file.name, done: false });
    }
    return told;
  }

  result(told, before) {
    const item = told.header("Shoebox-Item");
    // What was whole before this page asked is here already, whoever sent it.
    if (item) return { number: Number(item.split("/").at(-1)), duplicate: before || told.header("Shoebox-Duplicate") === "true" };
    // A guest hears that all has come, and no more.
    return Number(told.header("Upload-Offset")) === this.file.size ? { number: null, duplicate: false } : null;
  }

  ask(method, address, headers = {}, body = null) {
    return new Promise((resolve) => {
      const request = (this.request = new XMLHttpRequest());
      const answer = () => resolve({
        status: request.status,
        text: request.responseText,
        header: (name) => request.getResponseHeader(name),
      });
      for (const kind of ["load", "error", "abort"]) request.addEventListener(kind, answer);
      if (body) request.upload.addEventListener("progress", (event) => this.progress(this.offset + event.loaded));
      request.open(method, address);
      for (const [key, value] of Object.entries({ ...VERSION, "X-CSRF-Token": csrf(), ...headers })) request.setRequestHeader(key, value);
      request.send(body);
    });
  }

  /** A phone may take a file away from the page: then no try will help. */
  async readable() {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch {
      throw new Trouble(SAY.unreadable, SAY.unreadableNext);
    }
  }

  async rest(status, failures) {
    if (status === 0) this.waiting(SAY.lost);
    await rest(failures);
  }
}

/** Wait longer after each failure, but no longer than until something says that it may work again. */
async function rest(failures) {
  let done;
  const waited = new Promise((resolve) => (done = resolve));
  const timer = setTimeout(done, WAITS[Math.min(failures, WAITS.length) - 1]);
  wakes.add(done);
  await waited;
  clearTimeout(timer);
  wakes.delete(done);
}

/** The item that a file became, null where whoever sends may not look into the library. */
export async function itemOf(number) {
  if (number === null) return null;
  for (let failures = 1; ; failures++) {
    try {
      return await get(`/api/v1/items/${number}`);
    } catch (error) {
      if (error.status === 401 || error.status === 403) return null;
      if (error.status) throw error;
    }
    await rest(failures); // the file is in the box; only its answer is out of reach
  }
}
