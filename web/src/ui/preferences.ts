/** What a person prefers to see, kept in this browser. */
import { create } from 'zustand'
import { persist } from 'zustand/middleware'
import { browserZone } from '@/lib/time'

export const THEMES = ['dark', 'light', 'system'] as const
export const PALETTES = ['night', 'classic', 'red-up'] as const
export type Theme = (typeof THEMES)[number]
export type Palette = (typeof PALETTES)[number]

interface Preferences {
  theme: Theme
  palette: Palette
  /** An IANA zone, or "browser" for the browser's own. */
  zone: string
  /** The account that is looked at, of those the person has; empty for the first. */
  account: string
}

export const usePreferences = create<Preferences>()(
  persist<Preferences>(() => ({ theme: 'dark', palette: 'night', zone: 'browser', account: '' }), {
    name: 'pump-party.preferences',
    version: 1,
  }),
)

/** The zone in which times are shown. */
export function useZone(): string {
  const zone = usePreferences((one) => one.zone)
  return zone === 'browser' ? browserZone() : zone
}

const systemIsLight = () => matchMedia('(prefers-color-scheme: light)')

/** The theme on the screen now, with "system" resolved. */
export function resolvedTheme(theme: Theme): 'dark' | 'light' {
  if (theme !== 'system') return theme
  return systemIsLight().matches ? 'light' : 'dark'
}

/** Put theme and palette on the document, now and whenever either changes. */
export function applyPreferences() {
  const apply = () => {
    const { theme, palette } = usePreferences.getState()
    document.documentElement.dataset.theme = resolvedTheme(theme)
    document.documentElement.dataset.palette = palette
  }
  apply()
  usePreferences.subscribe(apply)
  systemIsLight().addEventListener('change', apply)
}
