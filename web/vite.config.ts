import { fileURLToPath, URL } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const API = 'http://127.0.0.1:8400'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../src/pump_party/apps/api/assets',
    emptyOutDir: true,
    target: 'es2022',
    // The page may only load scripts and fonts from its own origin: nothing is inlined as data:.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { '/v1': API } },
  test: { include: ['src/**/*.test.{ts,tsx}', 'tests/**/*.test.ts'], environment: 'node' },
})
