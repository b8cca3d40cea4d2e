// Package inventory sets goods aside in the warehouse's API.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// ErrOutOfStock says that the warehouse has not enough of it.
var ErrOutOfStock = errors.New("out of stock")

// Client talks to the warehouse at a base URL.
type Client struct {
	URL  string
	HTTP *http.Client
}

// Take sets n pieces of the article aside.
func (c *Client) Take(ctx context.Context, article string, n int) error {
	return c.do(ctx, http.MethodPut, article, n)
}

// GiveBack undoes Take.
func (c *Client) GiveBack(ctx context.Context, article string, n int) error {
	return c.do(ctx, http.MethodDelete, article, n)
}

func (c *Client) do(ctx context.Context, method, article string, n int) error {
	target := c.URL + "/stock/" + url.PathEscape(article) + "/taken?pieces=" + strconv.Itoa(n)
	request, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return err
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("inventory: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusNoContent:
		return nil
	case http.StatusConflict:
		return fmt.Errorf("%w: %s", ErrOutOfStock, article)
	}
	return fmt.Errorf("inventory: the warehouse answered %s", response.Status)
}
