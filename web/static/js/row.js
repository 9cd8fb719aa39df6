// One file on its way into the box: how far it is, what the box says of it, and what can be done.
import { Trouble } from "./api.js";
import { el, icon } from "./dom.js";
import { latest } from "./live.js";
import { SAY } from "./sentences.js";
import { itemOf, Sending } from "./tus.js";
import { day, left, size } from "./words.js";

const DECODES = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"]);
const PREVIEW_LIMIT = 30e6;

/** States: queued, sending, then refused, duplicate, sent (by who may not look in), or the item's: pending, processing, completed, failed. */
export class Row {
  constructor(file, limit, { changed, again, gone }) {
    Object.assign(this, { file, limit, changed, again, gone, state: "queued", item: null, trouble: null, sent: 0, speed: 0 });
    this.node = el("li", { class: "line", "data-name": file.name });
    this.draw();
  }

  get over() {
    return ["refused", "duplicate", "sent", "completed", "failed"].includes(this.state);
  }

  async send() {
    this.become("sending");
    if (this.file.size > this.limit) {
      return this.refuse(new Trouble(SAY.tooLarge(size(this.file.size), size(this.limit)), SAY.tooLargeNext));
    }
    if (this.file.size === 0) return this.refuse(new Trouble(SAY.empty, SAY.emptyNext));
    this.preview();
    let mark = { at: performance.now(), sent: 0 };
    this.going = new Sending(this.file, (sent) => {
      this.sent = sent;
      const now = performance.now();
      // Where it goes on after a cut, what was there before says nothing of the speed.
      if (sent < mark.sent || now - mark.at > 10000) mark = { at: now, sent };
      else if (now - mark.at > 400) {
        const speed = ((sent - mark.sent) / (now - mark.at)) * 1000;
        this.speed = this.speed ? 0.7 * this.speed + 0.3 * speed : speed;
        mark = { at: now, sent };
      }
      this.drawProgress();
      this.changed();
    }, (sentence) => {
      this.waiting = sentence;
      this.speed = 0;
      this.drawProgress();
      this.changed();
    });
    if (this.paused) this.going.pause();
    try {
      await this.arrive(await this.going.run());
    } catch (error) {
      this.refuse(error);
    }
  }

  /** It is in the box. */
  async arrive({ number, duplicate }) {
    this.item = await itemOf(number);
    this.become(duplicate ? "duplicate" : this.item?.status ?? "sent");
    const newer = latest(number);
    if (newer) this.hear(newer);
  }

  async cancel() {
    if (!this.going) return this.gone(this);
    const whole = await this.going.cancel();
    if (whole && this.state === "refused") await this.arrive(whole); // too late: all of it was there already
  }

  pause(yes) {
    this.paused = yes;
    if (yes) this.going?.pause();
    else this.going?.resume();
    this.speed = 0;
    this.drawProgress();
  }

  refuse(trouble) {
    this.trouble = trouble;
    this.become("refused");
  }

  /** Take over what the box says of this row's item. */
  hear(item) {
    if (!this.item || item.id !== this.item.id) return;
    this.item = item;
    if (this.state !== "duplicate") this.state = item.status;
    this.draw();
    this.changed();
  }

  become(state) {
    this.state = state;
    this.draw();
    this.changed();
  }

  preview() {
    if (this.url || this.broken || !DECODES.has(this.file.type) || this.file.size > PREVIEW_LIMIT) return;
    this.url = URL.createObjectURL(this.file);
    this.draw();
  }

  picture() {
    const source = this.item?.prepared && this.item.width ? this.item.urls.small : this.url;
    if (this.shown?.getAttribute("src") === source && source) return this.shown;
    if (this.url && source !== this.url) {
      URL.revokeObjectURL(this.url);
      this.url = null;
    }
    this.shown = source ? el("img", { src: source, alt: "" }) : null;
    this.shown?.addEventListener("error", () => {
      Object.assign(this, { broken: true, url: null, shown: null });
      this.draw();
    });
    return this.shown ?? icon(this.file.type.startsWith("video/") ? "video" : "photo");
  }

  draw() {
    const focused = this.node.contains(document.activeElement) && document.activeElement !== document.body;
    this.node.dataset.state = this.state;
    this.node.classList.toggle("waits", (this.state === "pending" && this.item.asked) || this.state === "processing");
    this.bar = this.state === "sending" ? el("progress", { max: this.file.size, value: this.sent, "aria-label": SAY.sending(this.file.name) }) : null;
    this.far = el("p", { class: "say" });
    this.node.replaceChildren(el("span", { class: "thumb" }, this.picture()), el("div", { class: "text" }, ...this.says()), el("div", { class: "do" }, ...this.does()));
    this.drawProgress();
    if (focused) this.node.querySelector("button, a")?.focus();
  }

  drawProgress() {
    if (!this.bar) return;
    this.bar.value = this.sent;
    const parts = [SAY.amountOf(size(this.sent), size(this.file.size))];
    if (this.paused) parts.push(SAY.paused);
    else if (this.waiting) parts.push(this.waiting);
    else if (this.sent >= this.file.size) parts.splice(0, 1, SAY.puttingAway);
    else if (this.speed) parts.push(`${size(Math.round(this.speed))}/s`, left((this.file.size - this.sent) / this.speed));
    this.far.textContent = parts.join(" · ");
  }

  says() {
    const name = el("p", { class: "name" }, this.file.name);
    const say = (...words) => el("p", { class: "say" }, ...words);
    const ring = () => el("span", { class: "ring", "aria-hidden": "true" });
    switch (this.state) {
      case "queued": return [name, say(SAY.nextInLine(size(this.file.size)))];
      case "sending": return [name, this.bar, this.far];
      case "refused": return [name, el("p", { class: "say bad", role: "alert" }, this.trouble.detail), this.trouble.next && say(this.trouble.next)];
      case "pending": return [name, say(this.item.asked ? SAY.waits : SAY.waitsForLater)];
      case "processing": return [name, say(ring(), SAY.beingDescribedNow)];
      case "failed": return [name, el("p", { class: "say bad" }, SAY.notDescribed), say(this.item.error ?? "")];
      case "duplicate": return [
        this.item?.description ? el("p", { class: "words" }, this.item.description) : name,
        el("p", { class: "say good" }, this.item ? SAY.hereSince(day(this.item.added_at)) : SAY.here),
      ];
      case "sent": return [name, el("p", { class: "say good" }, SAY.inTheBox)];
      default: return [el("p", { class: "words" }, this.item.description ?? ""), say(`${this.file.name} · ${size(this.file.size)}`)];
    }
  }

  does() {
    const button = (words, sign, act) => el("button", { class: "button bare", type: "button", "aria-label": `${words}: ${this.file.name}`, onclick: act }, icon(sign));
    const look = () => el("a", { class: "button bare", href: `/items/${this.item.id}`, "aria-label": SAY.lookAt(this.file.name) }, icon("right"));
    const remove = () => button(SAY.takeOff, "close", () => this.gone(this));
    switch (this.state) {
      case "queued": return [remove()];
      case "sending": return [button(SAY.cancel, "close", () => this.cancel())];
      case "refused": return [button(SAY.tryAgain, "again", () => {
        Object.assign(this, { sent: 0, speed: 0, waiting: "" });
        this.become("queued");
        this.again();
      }), remove()];
      default: return this.item ? [look()] : [remove()];
    }
  }
}
