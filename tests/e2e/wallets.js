(wallets) => {
  // Wallets as a browser extension injects them. They hold no key: every question goes to `askWallet`, which answers
  // {result} or {error: {code, message}} from outside the page.
  const ICON = 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4='

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  const base64Of = (bytes) => btoa(String.fromCharCode(...bytes))

  async function ask(wallet, method, params) {
    const answer = await window.askWallet({ wallet, method, params })
    if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code })
    return answer.result
  }

  // Wallet Standard: https://github.com/wallet-standard/wallet-standard
  function registerSolana({ name, features }) {
    const accountOf = ({ address, publicKey }) => ({
      address,
      publicKey: bytesOf(publicKey),
      chains: ['solana:mainnet'],
      features,
    })
    const implementations = {
      'standard:connect': {
        version: '1.0.0',
        connect: async () => {
          wallet.accounts = [accountOf(await ask(name, 'connect', {}))]
          return { accounts: wallet.accounts }
        },
      },
      'standard:events': { version: '1.0.0', on: () => () => undefined },
      'solana:signMessage': {
        version: '1.1.0',
        signMessage: (...inputs) =>
          Promise.all(
            inputs.map(async ({ account, message }) => {
              const params = { address: account.address, message: base64Of(message) }
              const { signature } = await ask(name, 'signMessage', params)
              return { signedMessage: message, signature: bytesOf(signature), signatureType: 'ed25519' }
            }),
          ),
      },
      'solana:signIn': {
        version: '1.0.0',
        signIn: (...inputs) =>
          Promise.all(
            inputs.map(async (input) => {
              const { account, signedMessage, signature } = await ask(name, 'signIn', input)
              return {
                account: accountOf(account),
                signedMessage: bytesOf(signedMessage),
                signature: bytesOf(signature),
                signatureType: 'ed25519',
              }
            }),
          ),
      },
    }
    const wallet = {
      version: '1.0.0',
      name,
      icon: ICON,
      chains: ['solana:mainnet'],
      features: Object.fromEntries(features.map((feature) => [feature, implementations[feature]])),
      accounts: [],
    }
    const register = (api) => api.register(wallet)
    window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: register }))
    window.addEventListener('wallet-standard:app-ready', ({ detail }) => register(detail))
  }

  // EIP-6963: https://eips.ethereum.org/EIPS/eip-6963
  function announceEvm({ name, uuid }) {
    const info = Object.freeze({ uuid, name, icon: ICON, rdns: 'party.pump.test' })
    const provider = { request: ({ method, params }) => ask(name, method, params ?? []), on() {}, removeListener() {} }
    const announce = () =>
      window.dispatchEvent(
        new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }),
      )
    window.addEventListener('eip6963:requestProvider', announce)
    announce()
  }

  for (const wallet of wallets) {
    if (wallet.standard === 'solana') registerSolana(wallet)
    else announceEvm(wallet)
  }
}
