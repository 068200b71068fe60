/** Reads the sign-in text the server built back into fields, for wallets that draw it themselves. */

/** Input of `solana:signIn`; the wallet rebuilds the same text from it. */
export interface SignInFields {
  domain: string
  address: string
  statement?: string
  uri?: string
  version?: string
  chainId?: string
  nonce?: string
  issuedAt?: string
  expirationTime?: string
  notBefore?: string
  requestId?: string
  resources?: string[]
}

const HEAD = /^(\S+) wants you to sign in with your Solana account:$/

const FIELDS: Record<string, keyof SignInFields> = {
  URI: 'uri',
  Version: 'version',
  'Chain ID': 'chainId',
  Nonce: 'nonce',
  'Issued At': 'issuedAt',
  'Expiration Time': 'expirationTime',
  'Not Before': 'notBefore',
  'Request ID': 'requestId',
}

/**
 * The fields of a Solana sign-in text, or undefined when it is not one this page can rebuild exactly:
 * then the text itself is signed instead.
 */
export function parseSignIn(message: string): SignInFields | undefined {
  const lines = message.split('\n')
  const domain = HEAD.exec(lines[0] ?? '')?.[1]
  const address = lines[1]
  if (!domain || !address) return undefined
  const fields: SignInFields = { domain, address }

  const at = lines.findIndex((line) => /^(URI|Version|Chain ID|Nonce|Issued At): /.test(line))
  const statement = lines.slice(2, at === -1 ? undefined : at).filter((line) => line !== '')
  if (statement.length > 1) return undefined
  if (statement[0]) fields.statement = statement[0]

  for (const line of at === -1 ? [] : lines.slice(at)) {
    if (!readLine(line, fields)) return undefined
  }
  return renderSignIn(fields) === message ? fields : undefined
}

function readLine(line: string, fields: SignInFields): boolean {
  if (line === 'Resources:') {
    fields.resources = []
    return true
  }
  if (line.startsWith('- ') && fields.resources) {
    fields.resources.push(line.slice(2))
    return true
  }
  const colon = line.indexOf(': ')
  const name = FIELDS[line.slice(0, colon)]
  if (!name || name === 'resources') return false
  fields[name] = line.slice(colon + 2)
  return true
}

/** The text a wallet builds from the fields (CAIP-122 for Solana). */
export function renderSignIn(fields: SignInFields): string {
  const lines = [`${fields.domain} wants you to sign in with your Solana account:`, fields.address]
  if (fields.statement) lines.push('', fields.statement)
  const tail = Object.entries(FIELDS).flatMap(([label, name]) =>
    fields[name] ? [`${label}: ${fields[name]}`] : [],
  )
  if (fields.resources) tail.push('Resources:', ...fields.resources.map((one) => `- ${one}`))
  return [...lines, ...(tail.length > 0 ? ['', ...tail] : [])].join('\n')
}
