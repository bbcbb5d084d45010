/**
 * The web console.
 */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { Failure } from "./api/Http.ts"
import { App } from "./App.tsx"
import { applyTheme } from "./ui/theme.ts"

applyTheme()

/** The live feed says what is old, so nothing ages by itself. What the service refuses it refuses the next time, too. */
const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      networkMode: "always",
      retry: (count, error) => count < 2 && !(error instanceof Failure && error.status >= 400 && error.status < 500)
    },
    mutations: { networkMode: "always" }
  }
})

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>
)
