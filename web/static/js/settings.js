// Light or dark: kept in this browser only.
const stored = () => {
  try {
    return localStorage.getItem("theme") ?? "";
  } catch {
    return "";
  }
};

for (const input of document.querySelectorAll('input[name="theme"]')) {
  input.checked = input.value === stored();
  input.addEventListener("change", () => {
    if (input.value) document.documentElement.dataset.theme = input.value;
    else delete document.documentElement.dataset.theme;
    try {
      if (input.value) localStorage.setItem("theme", input.value);
      else localStorage.removeItem("theme");
    } catch {
      // Storage is shut off in this browser: the choice holds for this page.
    }
  });
}
