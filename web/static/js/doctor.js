// While the box looks itself over, the page is asked for anew and what was found is put in.
import { fresh, swap } from "./dom.js";

const EVERY = 1000;

async function look() {
  if (!document.querySelector("#checkup[data-under-way]")) return;
  const page = await fresh();
  if (page) {
    swap(page, "checkup");
    const ours = document.getElementById("checkup");
    if (page.getElementById("checkup") && !page.querySelector("#checkup[data-under-way]")) delete ours.dataset.underWay;
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
