import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { configQuery } from '@/api/queries'
import { Dialog } from '@/ui/Dialog'
import { closeDialog } from '@/ui/dialogs'
import { Failure } from '@/ui/States'
import { ChainStep, WalletList } from './ChooseWallet'
import { LoginProgress } from './LoginProgress'
import { type Purpose, resetLogin, runLogin, useLogin } from './login'
import { chainsOf, type FoundWallet, watchWallets } from './wallets'

const TITLES: Record<Purpose, string> = { sign_in: 'Sign in with a wallet', link: 'Link another wallet' }

/** Wallet, then chain, then one signature. */
export function SignInDialog({ purpose }: { purpose: Purpose }) {
  const login = useLogin((one) => one.login)
  const config = useQuery(configQuery)
  const [wallets, setWallets] = useState<FoundWallet[]>([])
  useEffect(() => watchWallets(setWallets), [])
  useEffect(() => () => resetLogin(), [])
  useEffect(() => {
    if (login.step === 'done') closeDialog()
  }, [login.step])

  const accepted = config.data?.chains ?? []
  const choose = (wallet: FoundWallet) => {
    const chains = chainsOf(wallet, accepted)
    const [only] = chains
    if (chains.length === 1 && only) void runLogin(wallet, only, purpose)
    else resetLogin({ step: 'chain', wallet, chains })
  }

  return (
    <Dialog
      open
      onClose={closeDialog}
      title={TITLES[purpose]}
      description="Signing proves identity; it moves no funds."
    >
      {config.error && (
        <Failure what="who may sign in" error={config.error} onRetry={() => void config.refetch()} />
      )}
      {login.step === 'choose' && <WalletList wallets={wallets} onChoose={choose} disabled={!config.data} />}
      {login.step === 'chain' && (
        <ChainStep
          wallet={login.wallet}
          chains={login.chains}
          onBack={() => resetLogin()}
          onChoose={(chain) => void runLogin(login.wallet, chain, purpose)}
        />
      )}
      {login.step !== 'choose' && login.step !== 'chain' && login.step !== 'done' && (
        <LoginProgress
          login={login}
          onBack={() => resetLogin()}
          onRetry={() => void runLogin(login.wallet, login.chain, purpose)}
        />
      )}
    </Dialog>
  )
}
