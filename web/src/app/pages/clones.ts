import { createLazyRoute } from '@tanstack/react-router'
import { DirectoryPage } from '@/features/clones/DirectoryPage'

export const Route = createLazyRoute('/clones')({ component: DirectoryPage })
