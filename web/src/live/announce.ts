/** Polite announcements for screen readers. Fills and margin calls: prices and the connection would never stop talking. */
import { create } from 'zustand'

export const useAnnouncement = create<{ text: string }>(() => ({ text: '' }))

export function announce(text: string) {
  useAnnouncement.setState({ text })
}
