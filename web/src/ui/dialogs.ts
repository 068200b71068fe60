/** Which dialog is open. Pages ask for one by name; the shell draws it. */
import { create } from 'zustand'

export type DialogName = 'sign_in' | 'link_wallet' | 'markets' | 'help'

export const useDialogs = create<{ open: DialogName | null }>(() => ({ open: null }))

export const openDialog = (open: DialogName) => useDialogs.setState({ open })
export const closeDialog = () => useDialogs.setState({ open: null })
