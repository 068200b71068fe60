import { queryClient } from './queries'

/** Ask once more for everything on the page that could not be had, now that the server answers. */
export function askAgain() {
  void queryClient.refetchQueries({ type: 'active', predicate: ({ state }) => state.status === 'error' })
}
