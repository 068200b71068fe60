import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { DropdownMenu } from 'radix-ui'
import { useState } from 'react'
import { Problem, request } from '@/api/client'
import { forgetPerson, meQuery, useMe } from '@/api/queries'
import { shortAddress } from '@/lib/format'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'

const ITEM = 'flex h-9 cursor-pointer items-center px-3 outline-none data-[highlighted]:bg-raised'

/** Sign in, or who is signed in and how to sign out. */
export function SessionMenu() {
  const me = useMe()
  if (me.isPending) return <span className="h-9 w-20 bg-raised" />
  if (me.data === undefined) {
    return (
      <Button
        className="text-sm"
        data-testid="session-unknown"
        title={me.error?.message}
        onClick={() => void me.refetch()}
      >
        Check sign-in
      </Button>
    )
  }
  if (me.data === null) {
    return (
      <Button look="accent" data-testid="sign-in-button" onClick={() => openDialog('sign_in')}>
        Sign in
      </Button>
    )
  }
  const address = me.data.wallets[0]?.address
  return <SignedInMenu name={me.data.display_name} address={address} />
}

function SignedInMenu({ name, address }: { name: string; address: string | undefined }) {
  const client = useQueryClient()
  const [failed, setFailed] = useState(false)
  const signOut = async () => {
    try {
      await request('DELETE', '/v1/auth/sessions/current')
      forgetPerson()
    } catch (error) {
      // Only a session that is already gone may be forgotten without the server's word.
      if (error instanceof Problem && error.status === 401) forgetPerson()
      else setFailed(true)
      await client.invalidateQueries(meQuery)
    }
  }
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button
          data-testid="session-menu"
          className="figure max-w-36 text-sm"
          aria-label={`Signed in as ${name}`}
        >
          <span className="truncate">{address ? shortAddress(address) : name}</span>
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          className="z-50 w-52 border border-input bg-surface py-1"
        >
          <DropdownMenu.Label className="px-3 py-1 text-xs text-muted">{name}</DropdownMenu.Label>
          <DropdownMenu.Item asChild className={ITEM}>
            <Link to="/settings">Settings</Link>
          </DropdownMenu.Item>
          <DropdownMenu.Item
            className={ITEM}
            data-testid="sign-out"
            onSelect={(event) => {
              event.preventDefault()
              void signOut()
            }}
          >
            Sign out
          </DropdownMenu.Item>
          {failed && <p className="px-3 py-1 text-xs text-warn">Signing out failed. Try again.</p>}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
