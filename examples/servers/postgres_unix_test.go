//go:build unix

package servers

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/standin-go/standin/fixture"
)

// TestPostgresByHand is for those who want a server as they start it themselves;
// a database for a test is postgres.New.
func TestPostgresByHand(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		t.Fatal(err)
	}
	programs := ""
	if len(folders) > 0 {
		programs = folders[len(folders)-1] + "/"
	}
	initdb, postgres := need(t, programs+"initdb"), need(t, programs+"postgres")
	data := filepath.Join(openFolder(t), "data")
	var as []string
	if os.Getuid() == 0 { // for whom it does not run
		as = asPostgres(t, filepath.Dir(data))
	}
	if out, err := command(append(as, initdb, "--no-sync", "--auth=trust", "--username=postgres", "-D", data)).CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	db := fixture.NewProcess(t, fixture.Command{
		Args:  append(as, postgres, "-D", data, "-p", "{{.Port}}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"),
		Dir:   "/",
		Ready: fixture.Log("ready to accept connections"),
		Stop:  syscall.SIGINT, // without waiting for who is connected
	})
	conn, err := pgx.Connect(t.Context(), "postgres://postgres@"+db.Addr()+"/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var port string
	if err := conn.QueryRow(t.Context(), "SHOW port").Scan(&port); err != nil || port != strconv.Itoa(db.Port()) {
		t.Errorf("it says that its port is %s, error %v; want %d", port, err, db.Port())
	}
}

func command(args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	return cmd
}

// asPostgres is how root runs a program as the user postgres, who then owns a
// folder.
func asPostgres(t *testing.T, folder string) []string {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}
}
