// Runs before the first paint: the chosen theme, and a mark that scripts work. A classic script, not a module.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is shut off in this browser: the device's own choice stays.
}
