import { Link } from '@tanstack/react-router'
import { Avatar } from './Avatar'

const FACE_PX = 24

interface Trader {
  display_name: string
  mine: boolean
  clone: { clone_id: string; name: string; owner_name: string } | null
}

/** Who trades an account: a person by name, a clone by face and name, leading to its page. */
export function TraderName({ trader }: { trader: Trader }) {
  const { clone } = trader
  return (
    <span className="inline-flex min-w-0 max-w-56 items-center gap-2 align-middle sm:max-w-80">
      {clone ? (
        <>
          <Avatar cloneId={clone.clone_id} size={FACE_PX} />
          <Link
            to="/clones/$id"
            params={{ id: clone.clone_id }}
            title={`by ${clone.owner_name}`}
            className="link min-w-0 font-medium"
          >
            <span className="truncate">{clone.name}</span>
          </Link>
          <span className="text-xs text-muted">clone</span>
        </>
      ) : (
        <span className="truncate font-medium">{trader.display_name}</span>
      )}
      {trader.mine && (
        <span className="border border-accent px-1 text-xs text-accent">{clone ? 'yours' : 'you'}</span>
      )}
    </span>
  )
}
