// Light, dark, or as the system has it.
const STORED = 'fuze.theme';

/** @returns {'auto' | 'light' | 'dark'} */
export const theme = () => /** @type {any} */ (localStorage.getItem(STORED) || 'auto');

/** @param {'auto' | 'light' | 'dark'} name */
export function chooseTheme(name) {
  localStorage.setItem(STORED, name);
  startTheme();
}

/** Show the stored theme. */
export function startTheme() {
  document.documentElement.dataset.theme = theme();
}
