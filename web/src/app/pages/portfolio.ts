import { createLazyRoute } from '@tanstack/react-router'
import { PortfolioPage } from '@/features/portfolio/PortfolioPage'

export const Route = createLazyRoute('/portfolio')({ component: PortfolioPage })
