// Coming back to the library finds it where it was left.

/** Note which picture is at the top and how far up, for whoever comes back to this page. */
export function leaveMark(months) {
  const inView = (one) => one.getBoundingClientRect().bottom > 0;
  const node = scrollY ? [...([...months.children].find(inView)?.querySelectorAll(".tile") ?? [])].find(inView) : null;
  history.replaceState(node ? { id: node.dataset.id, top: node.getBoundingClientRect().top } : null, "");
}

/** Bring the list to where it was left: `tileOf` finds a picture by its number, `more` fetches older ones. */
export async function comeBack(tileOf, more) {
  const mark = history.state;
  if (!mark) return;
  for (let pages = 0; pages < 30 && !tileOf(mark.id); pages++) await more();
  const node = tileOf(mark.id);
  if (!node) return;
  node.scrollIntoView(); // which makes the browser measure the months around it
  for (let times = 0; times < 2; times++) {
    await new Promise(requestAnimationFrame);
    scrollBy(0, node.getBoundingClientRect().top - mark.top);
  }
}
