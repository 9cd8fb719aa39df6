// Searching while one types: the box draws the page for the new words, and its list takes the place of ours.
import { fresh } from "./dom.js";

const PAUSE = 250; // ms without a letter

/** Search as one types; `take` shows the list of a page that the box drew. */
export function search(take) {
  const field = document.getElementById("q");
  if (!field) return;
  let soon = null;
  let asking = null;

  function address() {
    const said = [...new FormData(field.form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value);
    return said.length ? `/?${new URLSearchParams(said)}` : "/";
  }
  let shown = address();

  async function ask() {
    const wanted = address();
    if (wanted === shown) return;
    asking = new AbortController();
    const { signal } = asking;
    const page = await fresh(wanted, signal);
    // Where the box is away or wants to know who is there, the enter key shows what it says.
    if (signal.aborted || !page?.getElementById("chips")) return;
    shown = wanted;
    history.replaceState(null, "", wanted);
    const { activeElement } = document;
    take(page);
    if (!activeElement.isConnected) field.focus(); // somebody had gone on with the tab key
  }

  field.addEventListener("input", () => {
    clearTimeout(soon);
    asking?.abort(); // its answer would come too late
    soon = setTimeout(ask, PAUSE);
  });
}
