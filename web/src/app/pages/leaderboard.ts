import { createLazyRoute } from '@tanstack/react-router'
import { LeaderboardPage } from '@/features/leaderboard/LeaderboardPage'

export const Route = createLazyRoute('/leaderboard')({ component: LeaderboardPage })
