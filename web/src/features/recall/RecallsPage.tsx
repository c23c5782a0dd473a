export default function RecallsPage() {
  return <h1>RecallsPage</h1>;
}
