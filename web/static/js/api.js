// Calls to the box. What goes wrong comes back as a Trouble: a sentence and what to do next.
import { SAY } from "./sentences.js";

export class Trouble extends Error {
  constructor(detail, next = "", status = 0) {
    super([detail, next].filter(Boolean).join(" "));
    this.detail = detail;
    this.next = next;
    this.status = status;
  }
}

/** What shows that the box's own page asks, and not another site's. */
export const csrf = () => document.querySelector('meta[name="csrf"]').content;

/** The sentence of an answer that is not a success: problem+json where the box wrote one. */
export function trouble(status, text) {
  if (!status) return new Trouble(SAY.away, SAY.awayNext);
  try {
    const problem = JSON.parse(text);
    if (problem.detail) return new Trouble(problem.detail, problem.next_step ?? "", status);
  } catch {
    // Not from the box itself, perhaps from a proxy before it: the status has to do.
  }
  return new Trouble(SAY.failed, SAY.failedNext, status);
}

/**
 * Ask the box; `body` is sent as JSON, with more `headers`. Returns the answer's JSON, null where there is none; throws
 * a Trouble, where `seconds` are given after so many at the latest.
 */
export async function call(method, address, body, { headers = {}, seconds = 0 } = {}) {
  const about = { Accept: "application/json", "X-CSRF-Token": csrf(), ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const late = new AbortController(); // AbortSignal.timeout is missing on older phones
  const waiting = seconds ? setTimeout(() => late.abort(), seconds * 1000) : null;
  let answer;
  let text;
  try {
    answer = await fetch(address, { method, headers: about, body: body === undefined ? undefined : JSON.stringify(body), signal: late.signal });
    text = await answer.text();
  } catch {
    throw new Trouble(SAY.away, SAY.awayNext);
  } finally {
    clearTimeout(waiting);
  }
  if (!answer.ok) throw trouble(answer.status, text);
  return text ? JSON.parse(text) : null;
}

export const get = (address, seconds) => call("GET", address, undefined, { seconds });
export const post = (address) => call("POST", address);
export const remove = (address) => call("DELETE", address);

/** A page of items; `filters` has any of q, kind, status, tag, cursor, limit. */
export function items(filters) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  return get(`/api/v1/items?${query}`);
}
