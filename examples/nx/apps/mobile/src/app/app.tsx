export function App({ bundle }: { bundle: string }) {
  return (
    <main>
      <h1>Nx Example</h1>
      <p>Bundle: {bundle}</p>
    </main>
  );
}

export default App;
