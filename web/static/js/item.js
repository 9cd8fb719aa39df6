// One picture: keys and swipes to its neighbours, describing again, and its words as they are written.
import { call, post } from "./api.js";
import { fresh, inTurn, swap } from "./dom.js";
import { on } from "./live.js";
import { begin, watch } from "./scenes.js";

const article = document.getElementById("item");
const stage = document.getElementById("stage");
const id = Number(article.dataset.id);

/** Take over from the box what has changed; the player is left alone once it stands. */
const renew = inTurn(async () => {
  const page = await fresh();
  const theirs = page?.getElementById("item");
  if (!theirs) return;
  for (const name of ["status", "etag", "said"]) article.dataset[name] = theirs.dataset[name];
  if (stage.dataset.ready !== "yes") swap(page, "stage");
  for (const part of ["scenes", "writing", "actions", "facts", "history"]) swap(page, part);
  if (!document.getElementById("edit").open) swap(page, "edit");
  if (!document.getElementById("date").open) swap(page, "when");
  document.title = page.title;
  watch();
});

let asked = null;
function renewSoon() {
  asked ??= setTimeout(() => {
    asked = null;
    renew();
  }, 120);
}

article.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-describe]");
  if (!button) return;
  button.disabled = true;
  try {
    await post(button.dataset.describe);
    await renew();
  } catch (error) {
    complain(error);
    button.disabled = false;
  }
});

function complain(error) {
  const trouble = document.getElementById("trouble");
  trouble.textContent = error.message;
  trouble.hidden = false;
  trouble.scrollIntoView({ block: "nearest" });
}

/** Change the item, as long as it is what this page shows of it. */
function change(body) {
  const headers = "favourite" in body ? {} : { "If-Match": article.dataset.etag }; // a heart overwrites nobody
  return call("PATCH", `/api/v1/items/${id}`, body, { headers });
}

/** What a form of this page asks of the box; null where nothing was changed in it. */
function wanted(form, button) {
  if (form.dataset.bulk) return call("POST", "/api/v1/items/bulk", { ids: [id], action: form.dataset.bulk });
  if (form.dataset.patch) return change(JSON.parse(form.dataset.patch));
  if (form.id === "dating") {
    const { date, time } = form.elements;
    const said = [date.value, time.value].filter(Boolean).join("T");
    return change({ taken_at: button.value === "no-date" ? null : said });
  }
  const { description, tags } = form.elements;
  const edit = {};
  // No words at all are sent too: the box says what to do instead.
  if (description.value.trim() !== description.dataset.was) edit.description = description.value;
  if (tags.value !== tags.dataset.was) {
    // What others have added or taken away meanwhile stays so.
    const [was, wanted] = [tags.dataset.was, tags.value].map((text) => text.split(",").map((tag) => tag.trim()).filter(Boolean));
    const [, now] = JSON.parse(article.dataset.said);
    edit.tags = [...now.filter((tag) => wanted.includes(tag) || !was.includes(tag)), ...wanted.filter((tag) => !was.includes(tag) && !now.includes(tag))];
  }
  return Object.keys(edit).length ? change(edit) : null;
}

/** Send a form; where the item is another by now, its page is renewed, and the form sent again if nobody wrote in it. */
async function send(form, button) {
  try {
    await wanted(form, button);
  } catch (error) {
    if (error.status !== 412) throw error;
    const { said } = article.dataset;
    await renew();
    if (article.dataset.said !== said) throw error;
    await wanted(form, button);
  }
}

// Without scripts the forms are sent as they are, and the box answers with this page again.
article.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = event.submitter;
  document.getElementById("trouble").hidden = true;
  button.disabled = true;
  try {
    await send(form, button);
    const edited = form.closest(".edit") ?? (form.closest("#when") && document.getElementById("date"));
    if (edited) edited.open = false;
    await renew();
    (edited ? document.querySelector(`#${edited.id} summary`) : document.querySelector("#actions .heart")).focus();
  } catch (error) {
    complain(error);
  }
  button.disabled = false;
});

const go = (rel) => document.querySelector(`.stage [rel="${rel}"]`)?.click();
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("input, textarea, select, video, pre, .scenes")) return;
  if (event.key === "ArrowLeft") go("prev");
  else if (event.key === "ArrowRight") go("next");
  else if (event.key === "Escape") document.querySelector("[data-home]").click();
});

let touch = null;
stage.addEventListener("touchstart", (event) => {
  touch = event.touches.length === 1 && !event.target.closest("video") && !stage.hasAttribute("data-zoomed") ? event.touches[0] : null;
}, { passive: true });
stage.addEventListener("touchend", (event) => {
  if (!touch || (window.visualViewport?.scale ?? 1) > 1.05) return;
  const { clientX, clientY } = event.changedTouches[0];
  const across = clientX - touch.clientX;
  if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(clientY - touch.clientY)) go(across > 0 ? "prev" : "next");
  touch = null;
}, { passive: true });

// Back to where one came from, so that the library stands where it was left.
stage.addEventListener("click", (event) => {
  if (!event.target.closest("[data-home]")) return;
  const from = document.referrer && new URL(document.referrer);
  if (from && from.origin === location.origin && from.pathname === "/") {
    event.preventDefault();
    history.back();
  }
});

on("item", (item) => item.id === id && renewSoon());
on("removed", (ids) => ids.includes(id) && location.reload()); // the box says that it is gone, and where to go on
let paused = null;
on("status", (status) => {
  if (paused !== null && paused !== status.paused && article.dataset.status === "pending") renewSoon();
  paused = status.paused;
});
on("open", () => article.dataset.status !== "completed" && renewSoon());
watch();
begin();
