/** Where the focus goes when what had it is gone, such as the button that signed somebody in. */
export function focusMainIfLost() {
  const { activeElement } = document
  if (activeElement === null || activeElement === document.body) document.getElementById('main')?.focus()
}
