import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { OwnerClone, PublicClone, PublicDeployment } from '@/api/clones'
import { useMe } from '@/api/queries'
import { countdownText } from '@/lib/slots'
import { formatDate } from '@/lib/time'
import { Avatar } from '@/ui/Avatar'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { useZone } from '@/ui/preferences'
import { ProfileDialog } from './ProfileDialog'
import { ReportDialog } from './ReportDialog'
import { TradingState } from './TradingState'
import { tradingOf } from './trading'
import { useNextSlot } from './useClone'

interface Props {
  clone: PublicClone
  own: OwnerClone | undefined
}

/** Who it is, whether it trades, and what one may do about it. */
export function CloneHead({ clone, own }: Props) {
  const zone = useZone()
  return (
    <header className="grid grid-cols-[auto_minmax(0,1fr)] items-start gap-x-4 gap-y-3 sm:grid-cols-[auto_minmax(0,1fr)_auto]">
      <Avatar cloneId={clone.clone_id} size={72} />
      <div className="min-w-0">
        <h1 className="text-xl font-semibold break-words" data-testid="clone-title">
          {clone.name}
        </h1>
        <p className="text-sm text-muted">
          by {clone.owner_name} · since {formatDate(clone.created_ms, zone)}
        </p>
        {clone.deployment && <Trading deployment={clone.deployment} />}
      </div>
      <Actions clone={clone} own={own} />
      {clone.bio && <p className="col-span-full max-w-prose break-words">{clone.bio}</p>}
      {clone.hidden && (
        <p className="col-span-full text-sm text-warn">
          Its name is hidden by an operator{own?.hidden_reason ? `: ${own.hidden_reason}` : '.'}
        </p>
      )}
    </header>
  )
}

function Trading({ deployment }: { deployment: PublicDeployment }) {
  const next = useNextSlot(deployment)
  return (
    <p
      className="mt-1 flex flex-wrap items-center gap-x-3 text-sm text-muted"
      data-testid="clone-trading"
      data-state={tradingOf(deployment)}
    >
      <TradingState deployment={deployment} />
      <span>version {deployment.version}</span>
      {next !== null && (
        <span>
          next decision in <span className="figure text-text">{countdownText(next - Date.now())}</span>
        </span>
      )}
    </p>
  )
}

function Actions({ clone, own }: Props) {
  const me = useMe()
  const [open, setOpen] = useState<'profile' | 'report'>()
  const close = () => setOpen(undefined)
  return (
    <div className="order-last col-span-full flex flex-wrap items-center gap-2 empty:hidden sm:order-none sm:col-span-1">
      {own ? (
        <>
          <Link
            to="/studio/$id"
            params={{ id: clone.clone_id }}
            className="inline-flex h-7 items-center border border-input px-2 text-sm font-medium hover:bg-raised"
          >
            Open in the studio
          </Link>
          <Button size="small" data-testid="edit-profile" onClick={() => setOpen('profile')}>
            Edit profile…
          </Button>
        </>
      ) : (
        <Button
          size="small"
          look="quiet"
          className="-ml-2 sm:ml-0"
          data-testid="report-clone"
          onClick={() => (me.data ? setOpen('report') : openDialog('sign_in'))}
        >
          Report…
        </Button>
      )}
      {open === 'profile' && own && <ProfileDialog clone={own} onClose={close} />}
      {open === 'report' && <ReportDialog cloneId={clone.clone_id} onClose={close} />}
    </div>
  )
}
