// Runs before the first paint, so that a chosen theme does not flash. The rest of the page is modules.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const theme = localStorage.getItem("mien.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // storage is refused: the system's theme it is
  }
})();
