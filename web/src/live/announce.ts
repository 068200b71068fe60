/** Polite announcements for screen readers. Fills only: prices and connection changes would never stop talking. */
import { create } from 'zustand'

export const useAnnouncement = create<{ text: string }>(() => ({ text: '' }))

export function announceFill(text: string) {
  useAnnouncement.setState({ text })
}
