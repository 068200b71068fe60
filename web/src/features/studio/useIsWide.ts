import { useSyncExternalStore } from 'react'

const query = () => matchMedia('(min-width: 768px)')

function subscribe(onChange: () => void): () => void {
  const wide = query()
  wide.addEventListener('change', onChange)
  return () => wide.removeEventListener('change', onChange)
}

/** Whether there is room for a canvas beside an inspector. */
export function useIsWide(): boolean {
  return useSyncExternalStore(subscribe, () => query().matches)
}
