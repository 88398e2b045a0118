import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// A fixed port: Vestibule lists this origin in ORIGIN.
const fixed = { port: 5173, strictPort: true };

export default defineConfig({ plugins: [react()], server: fixed, preview: fixed });
