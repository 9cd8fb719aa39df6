// How sizes, times and dates are written; the same words as appliance/pages/words.py.
const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];

/** `3.1 MB`; a MB is a million bytes. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  let amount = bytes;
  for (const unit of ["KB", "MB", "GB", "TB"]) {
    amount /= 1000;
    if (amount < 999.5 || unit === "TB") return `${amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
  }
  return "";
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
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min left`;
  return `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min left`;
}

/** `3 May 2024`, as the file's own clock showed it. */
export function day(moment) {
  return moment ? `${Number(moment.slice(8, 10))} ${MONTHS[Number(moment.slice(5, 7)) - 1]} ${moment.slice(0, 4)}` : "";
}

/** `May 2024` */
export function month(moment) {
  return `${MONTHS[Number(moment.slice(5, 7)) - 1]} ${moment.slice(0, 4)}`;
}

/** `12 345`, with thin spaces. */
export function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
