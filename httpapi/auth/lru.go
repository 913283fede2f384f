package auth

import "container/list"

// lru is a map of a bounded size that forgets what was used least lately. It has no lock.
type lru[K comparable, V any] struct {
	most  int
	items map[K]*list.Element
	order *list.List // the latest first
}

type item[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](most int) *lru[K, V] {
	return &lru[K, V]{most: most, items: map[K]*list.Element{}, order: list.New()}
}

func (l *lru[K, V]) get(key K) (value V, found bool) {
	e, found := l.items[key]
	if !found {
		return value, false
	}
	l.order.MoveToFront(e)
	return e.Value.(item[K, V]).value, true
}

func (l *lru[K, V]) put(key K, value V) {
	if e, found := l.items[key]; found {
		e.Value = item[K, V]{key, value}
		l.order.MoveToFront(e)
		return
	}
	l.items[key] = l.order.PushFront(item[K, V]{key, value})
	if l.order.Len() > l.most {
		last := l.order.Remove(l.order.Back()).(item[K, V])
		delete(l.items, last.key)
	}
}
