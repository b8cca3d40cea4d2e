//go:build unix

package servers

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/standin-go/standin/fixture"
)

func TestNginx(t *testing.T) {
	t.Parallel()
	api := fixture.NewHTTP(t)
	api.On("GET /orders/7").Reply(200).JSON(`{"id": 7}`)
	web := fixture.NewProcess(t, fixture.Command{
		Args: []string{need(t, "nginx", "/usr/sbin/nginx"), "-p", "{{.Dir}}", "-c", "nginx.conf", "-e", "stderr"},
		Files: map[string]string{
			"nginx.conf": `daemon off;
pid nginx.pid;
error_log stderr;
` + asRoot("user root;\n") + `events {}
http {
	access_log /dev/stdout;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen {{.Addr}};
		root site;
		location /api/ { proxy_pass ` + api.URL() + `/; }
	}
}`,
			"site/index.html": "nginx serves this",
		},
	})
	if body, header := get(t, web.URL()); body != "nginx serves this" || !strings.HasPrefix(header.Get("Server"), "nginx/") {
		t.Errorf("it serves %q as %q", body, header.Get("Server"))
	}
	if body, _ := get(t, web.URL()+"/api/orders/7"); body != `{"id": 7}` {
		t.Errorf("what it passes on is %q", body)
	}
	web.Signal(syscall.SIGHUP) // it reads its configuration again
	get(t, web.URL())
}

func TestApache(t *testing.T) {
	t.Parallel()
	const modules = "/usr/lib/apache2/modules/"
	site := openFolder(t)
	if err := os.WriteFile(site+"/index.html", []byte("Apache serves this"), 0o644); err != nil {
		t.Fatal(err)
	}
	web := fixture.NewProcess(t, fixture.Command{
		Args: []string{need(t, "apache2", "/usr/sbin/apache2", "httpd"), "-D", "FOREGROUND", "-f", "{{.Dir}}/httpd.conf"},
		Files: map[string]string{
			"httpd.conf": `ServerRoot "{{.Dir}}"
ServerName 127.0.0.1
PidFile httpd.pid
Listen {{.Addr}}
ErrorLog /dev/stderr
LoadModule mpm_event_module ` + modules + `mod_mpm_event.so
LoadModule authz_core_module ` + modules + `mod_authz_core.so
LoadModule dir_module ` + modules + `mod_dir.so
` + asRoot("User www-data\nGroup www-data\n") + `DocumentRoot "` + site + `"
`,
		},
		Ready: fixture.HTTP("/"),
	})
	if body, header := get(t, web.URL()); body != "Apache serves this" || !strings.HasPrefix(header.Get("Server"), "Apache/") {
		t.Errorf("it serves %q as %q", body, header.Get("Server"))
	}
}

func TestNode(t *testing.T) {
	t.Parallel()
	web := fixture.NewProcess(t, fixture.Command{
		Args: []string{need(t, "node", "nodejs"), "server.js"},
		Env:  map[string]string{"PORT": "{{.Port}}"},
		Files: map[string]string{"server.js": `
const server = require("http").createServer((request, response) => response.end("Node serves " + request.url));
server.listen(process.env.PORT, "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => server.close(() => { console.log("closed"); process.exit(0); }));`},
		Ready: fixture.Log("^listening$"),
	})
	if body, _ := get(t, web.URL()+"/cart"); body != "Node serves /cart" {
		t.Errorf("it serves %q", body)
	}
	web.Stop()
	if !strings.HasSuffix(web.Output(), "closed\n") {
		t.Errorf("it did not end as it was told: %q", web.Output())
	}
}

func TestFlask(t *testing.T) {
	t.Parallel()
	web := fixture.NewProcess(t, fixture.Command{
		Args: []string{python(t, "flask"), "-m", "flask", "--app", "shop", "run", "--port", "{{.Port}}"},
		Files: map[string]string{"shop.py": `
from flask import Flask
app = Flask(__name__)

@app.get("/healthz")
def healthz():
    return "yes"

@app.get("/cart/<int:number>")
def cart(number):
    return {"cart": number}
`},
		Ready: fixture.HTTP("/healthz"),
	})
	if body, _ := get(t, web.URL()+"/cart/7"); strings.TrimSpace(body) != `{"cart":7}` {
		t.Errorf("it serves %q", body)
	}
}

func TestDjango(t *testing.T) {
	t.Parallel()
	web := fixture.NewProcess(t, fixture.Command{
		Args: []string{python(t, "django"), "-m", "django", "runserver", "--noreload", "{{.Addr}}"},
		Env:  map[string]string{"DJANGO_SETTINGS_MODULE": "shop", "PYTHONPATH": "{{.Dir}}"},
		Files: map[string]string{"shop.py": `
from django.http import JsonResponse
from django.urls import path

DEBUG = True
SECRET_KEY = "of a test"
ROOT_URLCONF = __name__
urlpatterns = [path("cart/<int:number>", lambda request, number: JsonResponse({"cart": number}))]
`},
		Ready: fixture.HTTP("/cart/1"),
	})
	if body, _ := get(t, web.URL()+"/cart/7"); body != `{"cart": 7}` {
		t.Errorf("it serves %q", body)
	}
}

func TestFileServer(t *testing.T) {
	t.Parallel()
	web := fixture.NewProcess(t, fixture.Command{
		Args:  []string{build(t, "files"), "{{.Addr}}"},
		Files: map[string]string{"prices.txt": "lamp 12"},
	})
	if body, _ := get(t, web.URL()+"/prices.txt"); body != "lamp 12" {
		t.Errorf("it serves %q", body)
	}
}

func TestWorker(t *testing.T) {
	t.Parallel()
	queue := fixture.NewHTTP(t)
	queue.On("POST /take").Reply(200).Text("a letter").Reply(200).Text("a parcel").Reply(204)
	queue.On("POST /done").Reply(200).Times(2)
	worker := fixture.NewProcess(t, fixture.Command{
		Args: []string{build(t, "worker")}, Env: map[string]string{"QUEUE_URL": queue.URL()},
		Ready: fixture.Func(func(context.Context, *fixture.Process) error {
			if done := len(doneJobs(queue)); done < 2 {
				return fmt.Errorf("%d of 2 jobs are done", done)
			}
			return nil
		}),
	})
	if jobs := doneJobs(queue); jobs[0] != "A LETTER" || jobs[1] != "A PARCEL" {
		t.Errorf("it has done %q", jobs)
	}
	worker.Stop()
	if !strings.HasSuffix(worker.Output(), "told to end\n") {
		t.Errorf("it did not end as it was told: %q", worker.Output())
	}
}

func doneJobs(queue *fixture.HTTPServer) []string {
	var jobs []string
	for _, request := range queue.Requests() {
		if request.URL.Path == "/done" {
			jobs = append(jobs, string(request.Body))
		}
	}
	return jobs
}
