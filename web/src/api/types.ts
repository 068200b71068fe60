/** The wire shapes the page reads, named as the page names them. Amounts are decimal strings, times integer ms. */
import type { components } from './schema'

type Schemas = components['schemas']

export type Side = Schemas['Side']
export type FeedKind = 'live' | 'tape' | 'synthetic'

export type Config = Omit<Schemas['PublicConfig'], 'feed'> & {
  feed: { kind: FeedKind | 'auto'; label: string; speed: string }
}
export type Market = Schemas['Market']
export type Candle = Schemas['CandleItem']

export type Account = Schemas['Account']
export type AccountStatus = Schemas['AccountStatus']
export type Position = Schemas['Position']
export type PerpPosition = Schemas['PerpPosition']
export type RuleSet = Schemas['RuleSet']
export type PerpRules = Schemas['PerpRules']
export type Results = Schemas['Results']
export type Evidence = Schemas['Evidence']
export type OrderFill = Schemas['FillDetail']
export type Fill = Schemas['FillItem']
export type Order = Schemas['OrderBodyOut']
export type OrderBody = Schemas['OrderBody']
export type OrderKind = Schemas['OrderKind']
export type TimeInForce = Schemas['TimeInForce']
export type Preview = Schemas['Preview']
export type LedgerEntry = Schemas['LedgerItem']
export type EquityMark = Schemas['EquityItem']
export type Leaderboard = Schemas['Leaderboard']
export type LeaderboardRow = Schemas['LeaderboardItem']

export type Me = Schemas['Me']
export type CurrentSession = Schemas['CurrentSession']
export type Wallet = Schemas['Wallet']
export type Challenge = Schemas['Challenge']
export type SignedIn = Schemas['Session']
export type Session = Schemas['SessionItem']
export type ApiKey = Schemas['ApiKeyItem']
export type ApiKeyCreated = Schemas['ApiKeyMade']
export type StreamTicket = Schemas['Ticket']

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}
