import { useMe } from '@/api/queries'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Failure, Loading } from '@/ui/States'
import { ApiKeys } from './ApiKeys'
import { Appearance } from './Appearance'
import { Sessions } from './Sessions'
import { Wallets } from './Wallets'

/** Appearance for everyone; identity for who is signed in. */
export function SettingsPage() {
  const me = useMe()
  return (
    <div className="max-w-3xl space-y-8">
      <h1 className="pt-4 text-xl font-semibold">Settings</h1>
      <Appearance />
      {me.isPending && <Loading rows={6} label="Loading your identity" />}
      {me.error && me.data === undefined && (
        <Failure what="your identity" error={me.error} onRetry={() => void me.refetch()} />
      )}
      {me.data === null && (
        <div className="space-y-3 border-t border-line pt-4">
          <p className="text-muted">
            Wallets, sessions and API keys belong to a person: sign in to see yours.
          </p>
          <Button look="accent" onClick={() => openDialog('sign_in')}>
            Sign in
          </Button>
        </div>
      )}
      {me.data && (
        <>
          <Wallets wallets={me.data.wallets} name={me.data.display_name} />
          <Sessions />
          <ApiKeys />
        </>
      )}
    </div>
  )
}
