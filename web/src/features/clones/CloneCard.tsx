import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { equityQuery, type PublicClone } from '@/api/clones'
import { curveOf } from '@/lib/curves'
import { Avatar } from '@/ui/Avatar'
import { Change } from '@/ui/Figure'
import { Sparkline } from '@/ui/Sparkline'
import { TradingState } from './TradingState'

/** A clone among others: who, whose, how it does. The whole card leads to its page. */
export function CloneCard({ clone }: { clone: PublicClone }) {
  const { deployment } = clone
  return (
    <li
      data-testid="clone-card"
      className="relative flex min-w-0 flex-col gap-3 border border-line bg-surface p-3 hover:border-input"
    >
      <div className="flex items-start gap-3">
        <Avatar cloneId={clone.clone_id} size={44} />
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-medium">
            <Link to="/clones/$id" params={{ id: clone.clone_id }} className="after:absolute after:inset-0">
              {clone.name}
            </Link>
          </h2>
          <p className="truncate text-xs text-muted">by {clone.owner_name}</p>
        </div>
        {deployment && (
          <p className="shrink-0 text-xs">
            <TradingState deployment={deployment} />
          </p>
        )}
      </div>
      {clone.bio && <p className="line-clamp-2 text-sm break-words text-muted">{clone.bio}</p>}
      <div className="mt-auto flex h-9 items-end">
        {deployment ? (
          <Record cloneId={clone.clone_id} />
        ) : (
          <p className="text-xs text-muted">Published, never let trade</p>
        )}
      </div>
    </li>
  )
}

/** Asked for once the card is in sight. */
function Record({ cloneId }: { cloneId: string }) {
  const box = useRef<HTMLDivElement>(null)
  const isSeen = useSeen(box)
  const { data } = useQuery({ ...equityQuery(cloneId), enabled: isSeen })
  const points = data ? curveOf(data.curve) : []
  return (
    <div ref={box} className="flex h-full w-full items-end justify-between gap-4">
      <Sparkline values={points.map((one) => one.value)} base={Number(data?.start ?? 0)} />
      {data && (
        <span className="shrink-0 text-right text-sm" data-testid="card-return">
          {data.return_ppm === null ? (
            <span className="text-xs text-muted">no trade yet</span>
          ) : (
            <Change ppm={data.return_ppm} />
          )}
        </span>
      )}
    </div>
  )
}

function useSeen(box: { current: Element | null }): boolean {
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const element = box.current
    if (!element || isSeen) return
    const observer = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) setSeen(true)
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [box, isSeen])
  return isSeen
}
