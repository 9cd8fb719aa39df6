// How sizes, times and dates are written; the same words as appliance/pages/words.py.
import { say } from "./say.js";

const MONTHS = [
  say("January"), say("February"), say("March"), say("April"), say("May"), say("June"),
  say("July"), say("August"), say("September"), say("October"), say("November"), say("December"),
];
const UNITS = [
  (amount) => say("{amount} KB", { amount }),
  (amount) => say("{amount} MB", { amount }),
  (amount) => say("{amount} GB", { amount }),
  (amount) => say("{amount} TB", { amount }),
];

/** `3.1 MB`; a MB is a million bytes. */
export function size(bytes) {
  if (bytes < 1000) return say("{count} bytes", { count: bytes });
  let amount = bytes / 1000;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return UNITS[unit](amount < 9.95 ? amount.toFixed(1) : Math.round(amount));
}

/** A length or a moment of a video: `m:ss`. */
export function duration(seconds) {
  const whole = Math.floor(seconds ?? 0);
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** What is left of an upload: `4 s left`, `3 min left`. */
export function left(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return say("{seconds} s left", { seconds: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return say("{minutes} min left", { minutes: Math.ceil(seconds / 60) });
  const hours = Math.floor(seconds / 3600);
  return say("{hours} h {minutes} min left", { hours, minutes: Math.ceil((seconds % 3600) / 60) });
}

/** `3 May 2024`, as the file's own clock showed it. */
export function day(moment) {
  if (!moment) return "";
  const [year, named] = [moment.slice(0, 4), MONTHS[Number(moment.slice(5, 7)) - 1]];
  return say("{day} {month} {year}", { day: Number(moment.slice(8, 10)), month: named, year });
}

/** `May 2024` */
export function month(moment) {
  return say("{month} {year}", { month: MONTHS[Number(moment.slice(5, 7)) - 1], year: moment.slice(0, 4) });
}

/** `12 345`, with thin spaces. */
export function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
