// A Live Photo: its few seconds of film play in the place of the photo, which is back when they are over.

const stage = document.getElementById("stage");

stage.addEventListener("click", (event) => {
  const link = event.target.closest("#film");
  if (!link) return;
  event.preventDefault();
  const figure = stage.querySelector("figure");
  const playing = figure.querySelector("video");
  if (playing) back(figure, link);
  else play(figure, link);
});

function play(figure, link) {
  const video = document.createElement("video");
  Object.assign(video, { src: link.href, autoplay: true, playsInline: true });
  video.setAttribute("aria-label", figure.querySelector("img").alt);
  video.addEventListener("ended", () => back(figure, link));
  // This browser does not play such a film: it is given out as the file that it is.
  video.addEventListener("error", () => {
    back(figure, link);
    location.assign(link.href);
  });
  figure.querySelector("img").hidden = true;
  figure.append(video);
  link.setAttribute("aria-pressed", "true");
}

function back(figure, link) {
  figure.querySelector("video")?.remove();
  figure.querySelector("img").hidden = false;
  link.setAttribute("aria-pressed", "false");
  if (document.activeElement === document.body) link.focus();
}
