import type { ReactNode } from 'react'
import { chainName, shortAddress } from '@/lib/format'
import { Button } from '@/ui/Button'
import type { Login } from './login'

type Running = Exclude<Login, { step: 'choose' | 'chain' | 'done' }>

interface Props {
  login: Running
  onRetry: () => void
  onBack: () => void
}

const focus = (element: HTMLDivElement | null) => element?.focus()

/** What is happening in the wallet, or what went wrong and how to go on. */
export function LoginProgress({ login, onRetry, onBack }: Props) {
  const waiting = login.step === 'connecting' || login.step === 'signing'
  return (
    <div data-testid="login-state" data-state={login.step}>
      <p className="mb-1 text-xs text-muted">
        {login.wallet.name} on {chainName(login.chain)}
      </p>
      {/* Focus follows the state: that is how it is read out. */}
      <div key={login.step} ref={focus} tabIndex={-1} className="outline-none">
        <Text login={login} />
      </div>
      <div className="mt-4 flex gap-2">
        {!waiting && (
          <Button look="accent" onClick={onRetry}>
            Try again
          </Button>
        )}
        <Button look="quiet" onClick={onBack}>
          {waiting ? 'Cancel' : 'Other wallet'}
        </Button>
      </div>
    </div>
  )
}

function Text({ login }: { login: Running }) {
  switch (login.step) {
    case 'connecting':
      return (
        <Lines head="Waiting for the wallet to connect…">
          Approve the connection in {login.wallet.name}.
        </Lines>
      )
    case 'signing':
      return (
        <Lines head="Waiting for your signature…">
          Connected as <Address of={login.address} />, but not signed in yet. Read the message in{' '}
          {login.wallet.name} and sign it.
        </Lines>
      )
    case 'rejected':
      return <Lines head="You declined in the wallet.">Nothing was signed and nothing has changed.</Lines>
    case 'expired':
      return (
        <Lines head="The message expired before it was signed.">
          Each message works once and for a few minutes. Try again to get a fresh one.
        </Lines>
      )
    case 'wrong_account':
      return (
        <Lines head="The wallet signed with another account.">
          The message was for <Address of={login.expected} />
          {login.other && (
            <>
              , the wallet answered for <Address of={login.other} />
            </>
          )}
          . Select the account you want in {login.wallet.name}, then try again.
        </Lines>
      )
    case 'failed':
      return <Lines head="That did not work.">{login.reason}</Lines>
  }
}

function Lines({ head, children }: { head: string; children: ReactNode }) {
  return (
    <>
      <p className="font-medium">{head}</p>
      <p className="mt-1 text-muted">{children}</p>
    </>
  )
}

function Address({ of }: { of: string }) {
  return <span className="figure text-text">{shortAddress(of)}</span>
}
