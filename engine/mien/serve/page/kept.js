// What this browser remembers: for good (theme, choices) or until the tab is closed (the token, whether it ran).

/** @param {() => Storage} storage */
function keeper(storage) {
  return {
    /** @param {string} name @returns {any} null where nothing is kept or storage is refused */
    get(name) {
      try {
        return JSON.parse(storage().getItem(`mien.${name}`) ?? "null");
      } catch {
        return null;
      }
    },
    /** @param {string} name @param {unknown} value null forgets */
    set(name, value) {
      try {
        if (value === null) storage().removeItem(`mien.${name}`);
        else storage().setItem(`mien.${name}`, JSON.stringify(value));
      } catch {
        // storage is refused: nothing is kept
      }
    },
  };
}

export const kept = keeper(() => localStorage);
export const tab = keeper(() => sessionStorage);

/** The token of the address (`#token=T`), which is taken out of it, or the one kept in this tab. @returns {string} */
export function findToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    tab.set("token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return given ?? tab.get("token") ?? "";
}
